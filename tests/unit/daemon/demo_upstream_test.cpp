#include "daemon/demo_upstream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/build_info.hpp"
#include "daemon/demo_client.hpp"
#include "daemon/demo_tour.hpp"
#include "proxyd/config/load.hpp"

namespace proxyd::daemon {
namespace {

using ::testing::HasSubstr;

TEST(DemoUpstream, answers_with_what_it_saw) {
    const DemoUpstream upstream;
    const DemoAnswer answer = demo_get(upstream.port(), "/x?y", {{"X-Test", "1"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, HasSubstr("GET /x?y HTTP/1.1\r\n"));
    EXPECT_THAT(answer.body, HasSubstr("X-Test: 1\r\n"));
}

TEST(DemoUpstream, echoes_a_websocket) {
    const DemoUpstream upstream;
    EXPECT_EQ(demo_websocket(upstream.port(), "hello"), "hello");
}

TEST(DemoConfig, is_a_configuration_that_loads) {
    const auto loaded = config::load({"demo.yaml", {}, demo_config("/tmp", 8080, 1, 2)});
    ASSERT_TRUE(loaded.snapshot) << config::render(loaded.diagnostics.at(0));
}

/// Straight at the upstream nothing is rewritten, dropped or redirected: the tour must see that.
TEST(DemoTour, tells_a_proxy_that_does_nothing) {
    const DemoUpstream upstream;
    int good = 0;
    EXPECT_FALSE(
        demo_tour(upstream.port(), [&](const DemoLine& line) { good += line.ok ? 1 : 0; }));
    EXPECT_EQ(good, 2) << "the WebSocket and the typo";
}

TEST(BuildInfo, names_every_library) {
    const std::string info = build_info();
    for (const char* word : {"proxyd 0.", "compiler: ", "Boost 1.", "OpenSSL 3.", "llhttp ",
                             "yaml-cpp 0.", "spdlog 1.", "fmt ", "RE2 libre2", "features: "}) {
        EXPECT_THAT(info, HasSubstr(word));
    }
}

}  // namespace
}  // namespace proxyd::daemon
