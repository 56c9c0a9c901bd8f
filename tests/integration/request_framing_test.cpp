// Requests that are not exact HTTP/1 are refused, the connection ends, the upstream sees nothing.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace proxyd::test {
namespace {

struct Row {
    const char* name;
    std::string bytes;
    std::vector<int> statuses;  // any of these
};

constexpr auto kHost = "Host: app.test\r\n";

std::string with(const std::string& line) {
    return "GET / HTTP/1.1\r\nHost: app.test\r\n" + line + "\r\n\r\n";
}

std::string post(const std::string& lines, const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: app.test\r\n" + lines + "\r\n" + body;
}

std::string request_line(const std::string& line) {
    return line + "\r\n" + kHost + "\r\n";
}

// Runs every row on a connection of its own, with a second request behind it that must not run.
void expect_refused(const std::vector<Row>& rows) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n", ups(upstream));
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        RawClient client(daemon.http());
        client.try_send(row.bytes + get_request("/smuggled"));
        const auto response = client.read_response();
        const auto& allowed = row.statuses;
        EXPECT_NE(std::ranges::find(allowed, response.status), allowed.end())
            << "status " << response.status << ", " << response.end;
        const auto rest = client.read_until_close();
        EXPECT_TRUE(rest.closed()) << "the connection stays open";
        EXPECT_EQ(rest.text, "") << "a second answer came";
    }
    for (const auto& request : upstream.requests()) {
        ADD_FAILURE() << "the upstream saw " << request.raw_head;
    }
    EXPECT_EQ(upstream.garbage(), "");
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
}

TEST(RequestFraming, LengthAndCodingNeverBothOrTwice) {
    const std::string chunk = "0\r\n\r\n";
    expect_refused({
        {"CL and TE", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunk), {400}},
        {"TE and CL", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunk), {400}},
        {"CL 0 and TE", post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", chunk), {400}},
        {"two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), {400}},
        {"two equal lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), {400}},
        {"length list", post("Content-Length: 3, 3\r\n", "abc"), {400}},
        {"length with +", post("Content-Length: +3\r\n", "abc"), {400}},
        {"length with -", post("Content-Length: -3\r\n", "abc"), {400}},
        {"hex length", post("Content-Length: 0x3\r\n", "abc"), {400}},
        {"length with letters", post("Content-Length: 3a\r\n", "abc"), {400}},
        {"empty length", post("Content-Length:\r\n", "abc"), {400}},
        {"length with a space inside", post("Content-Length: 1 2\r\n", "abc"), {400}},
        {"length 2^64", post("Content-Length: 18446744073709551616\r\n", "abc"), {400, 413}},
        {"length 2^64+3", post("Content-Length: 18446744073709551619\r\n", "abc"), {400, 413}},
        {"length of 23 digits",
         post("Content-Length: 99999999999999999999999\r\n", "abc"),
         {400, 413}},
    });
}

TEST(RequestFraming, TransferEncodingIsExactlyChunkedOnce) {
    const std::string chunk = "0\r\n\r\n";
    const std::vector<int> refused{400, 501};
    expect_refused({
        {"gzip", post("Transfer-Encoding: gzip\r\n", chunk), refused},
        {"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", chunk), refused},
        {"chunked, gzip", post("Transfer-Encoding: chunked, gzip\r\n", chunk), refused},
        {"chunked, chunked", post("Transfer-Encoding: chunked, chunked\r\n", chunk), refused},
        {"twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunk),
         refused},
        {"identity", post("Transfer-Encoding: identity\r\n", chunk), refused},
        {"xchunked", post("Transfer-Encoding: xchunked\r\n", chunk), refused},
        {"chunked;q", post("Transfer-Encoding: chunked;q=1\r\n", chunk), refused},
        {"quoted", post("Transfer-Encoding: \"chunked\"\r\n", chunk), refused},
        {"empty", post("Transfer-Encoding:\r\n", chunk), refused},
        {"vertical tab", post("Transfer-Encoding: \vchunked\r\n", chunk), refused},
        {"space before colon", post("Transfer-Encoding : chunked\r\n", chunk), refused},
        {"folded", post("Transfer-Encoding:\r\n chunked\r\n", chunk), refused},
        {"on 1.0",
         "POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk,
         refused},
        {"on 1.0 with keep-alive",
         "POST / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n"
         "Transfer-Encoding: chunked\r\n\r\n" +
             chunk,
         refused},
    });
}

TEST(RequestFraming, HeadsAreCrLfOnly) {
    using namespace std::string_literals;
    expect_refused({
        {"LF request line", "GET / HTTP/1.1\nHost: app.test\r\n\r\n", {400}},
        {"LF field line", "GET / HTTP/1.1\r\nHost: app.test\nA: b\r\n\r\n", {400}},
        {"LF LF end", "GET / HTTP/1.1\r\nHost: app.test\r\nA: b\n\n", {400}},
        {"CR in a value", with("A: b\rc"), {400}},
        {"CR CR LF", "GET / HTTP/1.1\r\nHost: app.test\r\r\n\r\n", {400}},
        {"CR as end of line", "GET / HTTP/1.1\r\nHost: app.test\rA: b\r\n\r\n", {400}},
        {"X after CR LF CR", "GET / HTTP/1.1\r\nHost: app.test\r\n\rX", {400}},
        {"obs-fold", "GET / HTTP/1.1\r\nHost: app.test\r\nA: b\r\n c\r\n\r\n", {400}},
        {"obs-fold with tab", "GET / HTTP/1.1\r\nHost: app.test\r\nA: b\r\n\tc\r\n\r\n", {400}},
        {"folded length", post("A: b\r\n Content-Length: 3\r\n", "abc"), {400}},
        {"fold first", "GET / HTTP/1.1\r\n A: b\r\nHost: app.test\r\n\r\n", {400}},
        {"NUL in a value", with("A: b\0c"s), {400}},
        {"control in a value",
         with("A: b\x01"
              "c"),
         {400}},
        {"DEL in a value",
         with("A: b\x7f"
              "c"),
         {400}},
        {"NUL in a name", with("A\0B: c"s), {400}},
    });
}

TEST(RequestFraming, FieldNamesAreTokens) {
    expect_refused({
        {"space before colon", with("A : b"), {400}},
        {"tab before colon", with("A\t: b"), {400}},
        {"empty name", with(": b"), {400}},
        {"no colon", with("just text"), {400}},
        {"space in name", with("A B: c"), {400}},
        {"slash in name", with("A/B: c"), {400}},
        {"brackets in name", with("A[]: c"), {400}},
        {"8-bit name", with("\xc3\x84: c"), {400}},
        {"quote in name", with("\"A\": c"), {400}},
    });
}

TEST(RequestFraming, RequestLineIsExact) {
    using namespace std::string_literals;
    expect_refused({
        {"two spaces", request_line("GET  / HTTP/1.1"), {400}},
        {"two spaces before version", request_line("GET /  HTTP/1.1"), {400}},
        {"tab", request_line("GET\t/ HTTP/1.1"), {400}},
        {"leading space", request_line(" GET / HTTP/1.1"), {400}},
        {"trailing space", request_line("GET / HTTP/1.1 "), {400}},
        {"no version", request_line("GET /"), {400}},
        {"HTTP/0.9", "GET /\r\n\r\n", {400}},
        {"HTTP/2.0", request_line("GET / HTTP/2.0"), {400, 505}},
        {"HTTP/1.2", request_line("GET / HTTP/1.2"), {400, 505}},
        {"HTTP/3.0", request_line("GET / HTTP/3.0"), {400, 505}},
        {"HTTP/1", request_line("GET / HTTP/1"), {400, 505}},
        {"HTTP/1.1.1", request_line("GET / HTTP/1.1.1"), {400, 505}},
        {"HTTP/01.1", request_line("GET / HTTP/01.1"), {400, 505}},
        {"http/1.1", request_line("GET / http/1.1"), {400, 505}},
        {"HTTPS/1.1", request_line("GET / HTTPS/1.1"), {400, 505}},
        {"ICE", request_line("SOURCE / ICE/1.0"), {400, 405, 501, 505}},
        {"RTSP", request_line("DESCRIBE / RTSP/1.0"), {400, 405, 501, 505}},
        {"fragment", request_line("GET /a#b HTTP/1.1"), {400}},
        {"space in target", request_line("GET /a b HTTP/1.1"), {400}},
        {"raw 8-bit in target", request_line("GET /\xc3\xa4 HTTP/1.1"), {400}},
        {"NUL in target", request_line("GET /\0 HTTP/1.1"s), {400}},
        {"control in target", request_line("GET /\x01 HTTP/1.1"), {400}},
        {"no slash", request_line("GET path HTTP/1.1"), {400}},
        {"star with GET", request_line("GET * HTTP/1.1"), {400}},
        {"token methods only", request_line("G(T / HTTP/1.1"), {400, 501}},
        {"lower-case get", request_line("get / HTTP/1.1"), {400, 405, 501}},
        {"two empty lines first", "\r\n\r\n\r\n" + request_line("GET / HTTP/1.1"), {400}},
        {"TLS hello",
         "\x16\x03\x01\x02\x01\x01\xfc\x03\x03" + std::string(300, 'x') + "\r\n\r\n",
         {400}},
        {"h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 405, 501, 505}},
        {"PROXY line",
         "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + request_line("GET / HTTP/1.1"),
         {400, 405, 501}},
    });
}

TEST(RequestFraming, ConnectAndTraceAreRefused) {
    expect_refused({
        {"CONNECT", "CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n\r\n", {400, 405, 501}},
    });
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    const auto response = RawClient(daemon.http()).exchange(request_line("TRACE / HTTP/1.1"));
    EXPECT_TRUE(response.status == 405 || response.status == 501) << response.status;
    EXPECT_EQ(upstream.request_count(), 0);
}

TEST(RequestFraming, HostIsOneAndValid) {
    const auto head = [](const std::string& lines, const std::string& target = "/") {
        return "GET " + target + " HTTP/1.1\r\n" + lines + "\r\n";
    };
    expect_refused({
        {"none on 1.1", head(""), {400}},
        {"two", head("Host: app.test\r\nHost: other.test\r\n"), {400}},
        {"two equal", head("Host: app.test\r\nHost: app.test\r\n"), {400}},
        {"two on 1.0", "GET / HTTP/1.0\r\nHost: a.test\r\nHost: b.test\r\n\r\n", {400}},
        {"list", head("Host: app.test, other.test\r\n"), {400}},
        {"with a path", head("Host: app.test/x\r\n"), {400}},
        {"with user", head("Host: user@app.test\r\n"), {400}},
        {"with a space", head("Host: app test\r\n"), {400}},
        {"bad port", head("Host: app.test:x\r\n"), {400}},
        {"with a question mark", head("Host: app.test?x\r\n"), {400}},
        {"with a backslash", head("Host: app.test\\x\r\n"), {400}},
        {"open bracket", head("Host: [::1\r\n"), {400}},
        {"8-bit", head("Host: \xc3\xa4.test\r\n"), {400}},
        {"against the absolute form", head("Host: other.test\r\n", "http://app.test/"), {400}},
        {"user in the absolute form", head("Host: app.test\r\n", "http://u@app.test/"), {400}},
        {"empty authority", head("Host: app.test\r\n", "http:///x"), {400}},
    });
}

}  // namespace
}  // namespace proxyd::test
