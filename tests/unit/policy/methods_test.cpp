#include "proxyd/policy/methods.hpp"

#include <gtest/gtest.h>

#include "proxyd/policy/body_limits.hpp"

namespace proxyd::policy {
namespace {

http::RequestHead request(std::string_view method) {
    http::RequestHead head;
    head.method = http::parse_method(method);
    head.method_text = method;
    return head;
}

TEST(AllowedMethods, AllowsWhatIsListed) {
    const AllowedMethods methods({"GET", "POST", "PURGE"});
    EXPECT_TRUE(methods.allows(request("GET")));
    EXPECT_TRUE(methods.allows(request("PURGE")));
    EXPECT_FALSE(methods.allows(request("HEAD")));
    EXPECT_FALSE(methods.allows(request("get")));
    EXPECT_FALSE(methods.allows(request("QUERY")));
    EXPECT_EQ(methods.allow_value(), "GET, POST, PURGE");
}

TEST(AllowedMethods, AnEmptyListAllowsAll) {
    EXPECT_TRUE(AllowedMethods().allows(request("QUERY")));
    EXPECT_TRUE(AllowedMethods(std::vector<std::string>{}).allows(request("DELETE")));
}

TEST(BodyLimit, CountsTheAnnouncedLength) {
    config::Policy policy;
    policy.max_body_size = 10;
    auto head = request("POST");
    EXPECT_FALSE(announces_too_much(head, policy));
    head.framing = http::Framing::length;
    head.content_length = 10;
    EXPECT_FALSE(announces_too_much(head, policy));
    head.content_length = 11;
    EXPECT_TRUE(announces_too_much(head, policy));
    EXPECT_FALSE(announces_too_much(head, config::Policy{}));
    head.framing = http::Framing::chunked;
    EXPECT_FALSE(announces_too_much(head, policy));
}

}  // namespace
}  // namespace proxyd::policy
