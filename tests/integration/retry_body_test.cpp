// A body that is not kept as a whole goes to one server only: the next never gets a rest of it.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr std::size_t kSize = 600'000;  // more than buffers.request

std::string config(const std::string& buffering) {
    return R"(
upstreams:
  app:
    servers: ["127.0.0.1:@UP1@", "127.0.0.1:@UP2@"]
    retry: { on: [error, timeout, http_503] }
    timeouts: { read: 1s, send: 1s }
hosts:
  "*": { upstream: app, request_buffering: )" +
           buffering + " }\n";
}

// Every way to send the body, each through both modes; the first server does `script`.
void expect_no_rest_is_sent(const FakeUpstream::Script& script) {
    const std::string body(kSize, 'x');
    const std::string requests[] = {
        body_request("PUT", "/length", body),
        "PUT /chunks HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
            chunked(body, 100'000),
    };
    for (const std::string buffering : {"on", "off"}) {
        for (const auto& request : requests) {
            SCOPED_TRACE("request_buffering " + buffering + ", " + request.substr(0, 11));
            const auto first = FakeUpstream::scripted(script);
            FakeUpstream second;
            Daemon daemon(config(buffering), ups(*first, second));
            RawClient client(daemon.http());
            client.try_send(request, Duration(3000));
            const auto response = client.read_response("PUT");
            client.close();
            EXPECT_GE(first->heads(), 1);
            // None at all is best; one that began must have had the whole body.
            const int whole = second.request_count();
            EXPECT_EQ(second.heads(), whole);
            for (const auto& seen : second.requests()) EXPECT_EQ(seen.body_size, kSize);
            if (whole == 0) {
                EXPECT_GE(response.status, 500) << response.end;
            }
        }
    }
}

TEST(RetryBody, ServerThatResetsBehindTheBody) {
    expect_no_rest_is_sent([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.reset();
    });
}

TEST(RetryBody, ServerThatResetsInsideTheBody) {
    expect_no_rest_is_sent([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_head(request)) return;
        auto& wire = connection.wire();
        while (wire.view().size() < kSize / 2 && wire.fill(Deadline(kLimit)) == IoStatus::Ok) {
        }
        connection.reset();
    });
}

TEST(RetryBody, ServerWhoseStatusIsListed) {
    expect_no_rest_is_sent([](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.reply(text_reply("no", 503));
    });
}

TEST(RetryBody, ServerWhoseStatusIsListedBeforeTheBody) {
    expect_no_rest_is_sent([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_head(request)) return;
        connection.reply(text_reply("no", 503));
        connection.wait_for_close();
    });
}

}  // namespace
}  // namespace proxyd::test
