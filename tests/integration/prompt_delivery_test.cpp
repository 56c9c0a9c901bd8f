// What an upstream sent reaches the client although the upstream then pauses.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace proxyd::test {
namespace {

constexpr std::size_t kHead = 1000;

// A head of kHead bytes with this framing line.
std::string head_with(const std::string& framing) {
    std::string head = "HTTP/1.1 200 OK\r\n" + framing + "\r\nX-Pad: ";
    head.append(kHead - head.size() - 4, 'p');
    return head + "\r\n\r\n";
}

// A part of exactly `size` bytes on the wire, as one chunk or as it is.
std::string part_of(std::size_t size, bool in_chunks) {
    if (!in_chunks) return std::string(size, 'y');
    char line[16];
    const auto data = size - 8;
    std::snprintf(line, sizeof line, "%04zx\r\n", data);
    return line + std::string(data, 'y') + "\r\n";
}

// Head, then the part once the client has the head, then silence.
void expect_prompt(std::size_t size, bool in_chunks, const std::string& buffering) {
    SCOPED_TRACE(std::to_string(size) + (in_chunks ? " in chunks" : "") + ", buffering " +
                 buffering);
    Gate head_arrived;
    Gate part_arrived;
    const auto part = part_of(size, in_chunks);
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(head_with(in_chunks ? "Transfer-Encoding: chunked"
                                            : "Content-Length: " + std::to_string(size + 3)));
        if (!head_arrived.wait()) return;
        connection.send(part);
        if (!part_arrived.wait()) return;
        connection.send(in_chunks ? "3\r\nend\r\n0\r\n\r\n" : "end");
        connection.wait_for_close();
    });
    Daemon daemon(
        "workers: 1\nhosts: { \"*\": { upstream: @UP1@, buffering: " + buffering + " } }\n",
        ups(*upstream));
    RawClient client(daemon.http());
    client.send(get_request("/"));
    ASSERT_EQ(client.read_head().status, 200);
    head_arrived.open();
    const auto expected = std::ranges::count(part, 'y');
    std::ptrdiff_t got = 0;
    const Deadline deadline(Duration(1000));
    while (got < expected) {
        const auto text = client.read_some(Duration(deadline.left_ms()));
        if (text.empty()) break;
        got += std::ranges::count(text, 'y');
    }
    EXPECT_EQ(got, expected) << "within a second";
    part_arrived.open();
    std::string rest;
    while (rest.find("end") == std::string::npos) {
        const auto text = client.read_some(Duration(3000));
        if (text.empty()) break;
        rest += text;
    }
    EXPECT_NE(rest.find("end"), std::string::npos);
}

TEST(PromptDelivery, OfAPartThatFillsItsRead) {
    for (const std::string buffering : {"on", "off"}) {
        for (const bool in_chunks : {true, false}) {
            for (const std::size_t size : {16'384U - kHead, std::size_t{16'384}}) {
                expect_prompt(size, in_chunks, buffering);
            }
        }
    }
}

TEST(PromptDelivery, OfAPartOfAnySize) {
    for (const std::size_t size : {9U, 1000U, 16'383U, 16'385U, 32'768U, 65'000U}) {
        expect_prompt(size, true, "on");
    }
}

}  // namespace
}  // namespace proxyd::test
