#include "daemon/demo_tour.hpp"

#include <fmt/core.h>

#include <exception>

#include "daemon/config_test.hpp"
#include "daemon/demo_client.hpp"
#include "proxyd/base/text.hpp"
#include "proxyd/config/load.hpp"

namespace proxyd::daemon {
namespace {

/// The value of a field in what the upstream saw; every value when there are several.
std::string seen(const DemoAnswer& answer, std::string_view name) {
    std::string values;
    std::string_view rest = answer.body;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find("\r\n"));
        rest.remove_prefix(std::min(rest.size(), line.size() + 2));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !text::iequals(line.substr(0, colon), name))
            continue;
        if (!values.empty()) values += ", ";
        values += text::trim(line.substr(colon + 1));
    }
    return values;
}

DemoLine plain(const char* title, std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/");
    return {answer.status == 200 && seen(answer, "Host") == "demo.example" &&
                seen(answer, "X-Real-IP") == "127.0.0.1",
            title,
            fmt::format("{}; the upstream saw Host: {}, X-Real-IP: {}, X-Forwarded-Proto: {}",
                        answer.status, seen(answer, "Host"), seen(answer, "X-Real-IP"),
                        seen(answer, "X-Forwarded-Proto"))};
}

DemoLine forged(const char* title, std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/", {{"X-Forwarded-For", "203.0.113.66"}});
    return {answer.status == 200 && seen(answer, "X-Forwarded-For") == "127.0.0.1", title,
            fmt::format("{}; sent 203.0.113.66, the upstream saw {}", answer.status,
                        seen(answer, "X-Forwarded-For"))};
}

DemoLine websocket(const char* title, std::uint16_t port) {
    const std::string echo = demo_websocket(port, "hello");
    return {echo == "hello", title, fmt::format("101; sent hello, back came {}", echo)};
}

DemoLine path(const char* title, std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/api/users");
    const std::string line = answer.body.substr(0, answer.body.find("\r\n"));
    return {answer.status == 200 && line == "GET /users HTTP/1.1", title,
            fmt::format("{}; asked /api/users, the upstream saw {}", answer.status, line)};
}

DemoLine redirect(const char* title, std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/old/page");
    return {answer.status == 301 && answer.location == "https://new.example.com/old/page", title,
            fmt::format("{}; Location: {}", answer.status, answer.location)};
}

DemoLine cached(const char* title, std::uint16_t port) {
    const DemoAnswer first = demo_get(port, "/cached");
    const DemoAnswer second = demo_get(port, "/cached");
    const bool same = !first.body.empty() && second.body == first.body;
    return {first.cache == "MISS" && second.cache == "HIT" && same, title,
            fmt::format("{} {}, then {} {} without a request to the upstream", first.status,
                        first.cache, second.status, second.cache)};
}

DemoLine dead(const char* title, std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/dead");
    const std::size_t start = answer.body.find("nothing listens");
    const bool said = start != std::string::npos;
    const std::string cause = said ? answer.body.substr(start) : "no cause on the page";
    return {answer.status == 502 && said, title,
            fmt::format("{}; {}", answer.status, cause.substr(0, cause.find_first_of("<\n")))};
}

DemoLine half_dead(const char* title, std::uint16_t port) {
    constexpr int kAsked = 10;
    int answered = 0;
    for (int i = 0; i < kAsked; ++i) {
        const DemoAnswer answer = demo_get(port, "/pair");
        answered += answer.status == 200 && !seen(answer, "X-Real-IP").empty() ? 1 : 0;
    }
    return {answered == kAsked, title,
            fmt::format("{} of {} requests answered 200", answered, kAsked)};
}

DemoLine typo(const char* title, std::uint16_t) {
    const config::LoadResult loaded =
        config::load({"typo.yaml", {}, "hosts:\n  app.example.com:\n    upsteam: 3000\n"});
    std::string text = render_all(loaded.diagnostics);
    if (text.ends_with('\n')) text.pop_back();
    return {!loaded.snapshot && text.find("did you mean 'upstream'?") != std::string::npos, title,
            "refused\n" + text};
}

struct Step {
    const char* title;
    DemoLine (*run)(const char* title, std::uint16_t port);
};
constexpr Step kSteps[] = {
    {"a plain request", plain},
    {"a forged X-Forwarded-For", forged},
    {"a WebSocket", websocket},
    {"strip_prefix", path},
    {"a redirect", redirect},
    {"the same twice, cached", cached},
    {"a dead upstream", dead},
    {"one of two servers dead", half_dead},
    {"a typo in a file", typo},
};

DemoLine tried(const Step& step, std::uint16_t port) {
    try {
        return step.run(step.title, port);
    } catch (const std::exception& failure) {
        return {false, step.title, failure.what()};
    }
}

}  // namespace

std::string demo_config(const std::string& directory, std::uint16_t listen, std::uint16_t upstream,
                        std::uint16_t dead) {
    return fmt::format(
        "# what `proxyd demo` serves\n"
        "control: {0}/control.sock\n"
        "workers: 2\n"
        "listeners: {{ http: \"127.0.0.1:{1}\" }}\n"
        "log:\n"
        "  error: {{ path: {0}/error.log }}\n"
        "  access: {{ path: {0}/access.log, buffer: 0 }}\n"
        "caches: {{ pages: {{ memory: 1m }} }}\n"
        "upstreams:\n"
        "  pair:\n"
        "    balance: least_conn\n"
        "    servers: [\"127.0.0.1:{2}\", \"127.0.0.1:{3}\"]\n"
        "    health_check: {{ path: /, interval: 1s }}\n"
        "hosts:\n"
        "  \"*\":\n"
        "    upstream: 127.0.0.1:{2}\n"
        "    locations:\n"
        "      /: {{}}\n"
        "      /api/: {{ strip_prefix: true }}\n"
        "      /old/: {{ redirect: \"https://new.example.com$request_uri\" }}\n"
        "      /cached: {{ cache: {{ zone: pages, valid: 1m }} }}\n"
        "      /dead: {{ upstream: \"127.0.0.1:{3}\" }}\n"
        "      /pair: {{ upstream: pair }}\n",
        directory, listen, upstream, dead);
}

bool demo_tour(std::uint16_t port, const std::function<void(const DemoLine&)>& tell) {
    bool all = true;
    for (const Step& step : kSteps) {
        const DemoLine line = tried(step, port);
        all = all && line.ok;
        tell(line);
    }
    return all;
}

}  // namespace proxyd::daemon
