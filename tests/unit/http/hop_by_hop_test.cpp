#include "proxyd/http/hop_by_hop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace proxyd::http {
namespace {

using testing::ElementsAre;

std::vector<std::string> names(const HeaderMap& fields) {
    std::vector<std::string> out;
    for (const Field& field : fields) out.emplace_back(field.name);
    return out;
}

TEST(HopByHop, RemovesTheFieldsOfOneConnection) {
    HeaderMap fields;
    for (const char* name :
         {"Host", "Connection", "Proxy-Connection", "Keep-Alive", "TE", "Transfer-Encoding",
          "Upgrade", "HTTP2-Settings", "Proxy-Authenticate", "Proxy-Authorization", "Trailer"}) {
        fields.add(name, "x");
    }
    remove_hop_by_hop(fields);
    EXPECT_THAT(names(fields), ElementsAre("Host", "Trailer"));
}

TEST(HopByHop, RemovesWhatConnectionNames) {
    HeaderMap fields;
    fields.add("X-Secret", "1");
    fields.add("Connection", "close, x-secret ,, User-Agent");
    fields.add("X-Keep", "1");
    fields.add("connection", "x-other");
    fields.add("X-Other", "1");
    fields.add("x-SECRET", "2");
    fields.add("User-Agent", "a");
    remove_hop_by_hop(fields);
    EXPECT_THAT(names(fields), ElementsAre("X-Keep"));
}

TEST(HopByHop, NeverRemovesEndToEndFieldsThatMatter) {
    HeaderMap fields;
    fields.add("Connection",
               "host, x-forwarded-for, X-Forwarded-Proto, x-forwarded-host, x-forwarded-port, "
               "x-forwarded-prefix, forwarded, x-real-ip, authorization, cookie, content-length, "
               "content-type, via");
    const std::vector<std::string> kept{"Host",
                                        "X-Forwarded-For",
                                        "X-Forwarded-Proto",
                                        "X-Forwarded-Host",
                                        "X-Forwarded-Port",
                                        "X-Forwarded-Prefix",
                                        "Forwarded",
                                        "X-Real-IP",
                                        "Authorization",
                                        "Cookie",
                                        "Content-Length",
                                        "Content-Type",
                                        "Via"};
    for (const std::string& name : kept) fields.add(name, "x");
    remove_hop_by_hop(fields);
    EXPECT_EQ(names(fields), kept);
}

TEST(HopByHop, AFloodOfOptionsLeavesOnlyKnownFields) {
    std::string options;
    for (int i = 0; i < 1000; ++i) options += "o" + std::to_string(i) + ",";
    HeaderMap fields;
    fields.add("Connection", options);
    fields.add("O999", "x");
    fields.add("Cookie", "x");
    remove_hop_by_hop(fields);
    EXPECT_THAT(names(fields), ElementsAre("Cookie"));
}

TEST(UnderscoreNames, AreDropped) {
    HeaderMap fields;
    fields.add("X_Forwarded_For", "1");
    fields.add("Content_Length", "1");
    fields.add("X-Ok", "a_b");
    remove_underscore_names(fields);
    EXPECT_THAT(names(fields), ElementsAre("X-Ok"));
}

}  // namespace
}  // namespace proxyd::http
