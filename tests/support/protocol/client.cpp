#include "support/protocol/client.hpp"

#include "support/digest.hpp"

#include <algorithm>

namespace proxyd::test::protocol {

std::string Sent::read_exactly(std::size_t count, Duration limit) {
    const Deadline deadline(limit);
    std::string bytes;
    while (bytes.size() < count) {
        const auto part = read(Duration(deadline.left_ms()), count - bytes.size());
        if (part.empty()) break;
        bytes += part;
    }
    return bytes;
}

Answer Sent::read_head(Duration limit) {
    Answer answer;
    for (;;) {
        auto head = next_head(limit);
        if (head.status >= 200 || head.status == 101 || head.status == 0) {
            answer.status = head.status;
            answer.fields = std::move(head.fields);
            answer.end = head.status == 0 ? End::cut : end();
            return answer;
        }
        answer.interim.push_back(std::move(head));
    }
}

void Sent::read_rest(Answer& answer, Duration limit, std::size_t keep) {
    if (answer.status == 0) return;
    Digest digest;
    for (;;) {
        const auto bytes = read(limit);
        if (bytes.empty()) break;
        answer.size += bytes.size();
        digest.add(bytes);
        answer.body += bytes.substr(0, keep - std::min(keep, answer.body.size()));
    }
    answer.digest = digest.value();
    answer.end = end() == End::open ? End::silent : end();
    answer.trailers = trailers();
}

Answer Sent::answer(Duration limit) {
    auto answer = read_head(limit);
    read_rest(answer, limit);
    return answer;
}

Answer Client::ask(const Ask& ask, Duration limit) {
    const auto sent = open(ask);
    return sent == nullptr ? Answer{} : sent->answer(limit);
}

Answer Client::get(const std::string& path, const Headers& fields) {
    auto request = ask_for(path);
    request.fields = fields;
    return ask(request);
}

std::unique_ptr<Client> make_client(Version version, ClientOptions options) {
    return version == Version::h1 ? make_h1_client(std::move(options))
                                  : make_h2_client(std::move(options));
}

}  // namespace proxyd::test::protocol
