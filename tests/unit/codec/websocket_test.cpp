#include "codec/h2/websocket.hpp"

#include <gtest/gtest.h>

namespace proxyd::codec::h2 {
namespace {

TEST(WebSocketKey, AcceptIsThatOfTheStandard) {  // RFC 6455 1.3
    EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketKey, KeysAre16RandomBytesInBase64) {
    const std::string key = make_websocket_key();
    EXPECT_EQ(key.size(), 24U);
    EXPECT_TRUE(key.ends_with("=="));
    EXPECT_NE(key, make_websocket_key());
}

}  // namespace
}  // namespace proxyd::codec::h2
