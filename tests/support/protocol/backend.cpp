#include "support/protocol/backend.hpp"

#include "support/digest.hpp"

#include <algorithm>
#include <stdexcept>

namespace proxyd::test::protocol {

Give give(std::string body, int status) {
    Give answer;
    answer.status = status;
    answer.body = std::move(body);
    return answer;
}

Incoming Served::receive(Duration limit, std::size_t keep) {
    Incoming request = head();
    Digest digest;
    for (;;) {
        const auto bytes = read(limit);
        if (bytes.empty()) break;
        request.size += bytes.size();
        digest.add(bytes);
        request.body += bytes.substr(0, keep - std::min(keep, request.body.size()));
    }
    request.digest = digest.value();
    request.end = end();
    request.trailers = trailers();
    note(request);
    return request;
}

void Served::reply(const Give& answer) {
    const bool none = head().method == "HEAD" || answer.status == 204 || answer.status == 304;
    const bool sized = answer.sized && answer.status != 204 && answer.status != 304;
    std::optional<std::size_t> length;
    if (sized) length = answer.body.size();
    const bool last = none || (answer.body.empty() && answer.trailers.empty());
    answer_head(answer.status, answer.fields, length, last);
    if (last) return;
    if (send(answer.body) == IoStatus::Ok) finish(answer.trailers);
}

Incoming Backend::last_request() const {
    const auto all = requests();
    if (all.empty()) throw std::runtime_error("the upstream saw no request");
    return all.back();
}

bool Backend::wait_for_heads(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.heads >= count; }, limit);
}

bool Backend::wait_for_requests(std::size_t count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.whole.size() >= count; }, limit);
}

bool Backend::wait_for_left(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.left >= count; }, limit);
}

bool Backend::wait_for_running(int most, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.running <= most; }, limit);
}

void Backend::run(const Script& script, Served& served) {
    seen_.change([](Seen& seen) {
        ++seen.heads;
        seen.most = std::max(seen.most, ++seen.running);
    });
    script(served);
    seen_.change([](Seen& seen) { --seen.running; });
}

void Backend::note(const Incoming& request) {
    if (request.end != End::whole) return note_left();
    seen_.change([&](Seen& seen) { seen.whole.push_back(request); });
}

void Backend::note_left() {
    seen_.change([](Seen& seen) { ++seen.left; });
}

Backend::Script handled(Backend::Handler handler) {
    return [handler = std::move(handler)](Served& served) {
        const auto request = served.receive();
        if (request.end == End::whole) served.reply(handler(request));
    };
}

std::unique_ptr<Backend> make_backend(Version version, Backend::Script script,
                                      Backend::Options options) {
    return version == Version::h1 ? make_h1_backend(std::move(script), std::move(options))
                                  : make_h2_backend(std::move(script), std::move(options));
}

}  // namespace proxyd::test::protocol
