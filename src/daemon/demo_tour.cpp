#include "daemon/demo_tour.hpp"

#include <fmt/core.h>

#include <exception>
#include <functional>

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

DemoLine plain(std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/");
    return {answer.status == 200 && seen(answer, "Host") == "demo.example" &&
                seen(answer, "X-Real-IP") == "127.0.0.1",
            "a plain request",
            fmt::format("{}; the upstream saw Host: {}, X-Real-IP: {}, X-Forwarded-Proto: {}",
                        answer.status, seen(answer, "Host"), seen(answer, "X-Real-IP"),
                        seen(answer, "X-Forwarded-Proto"))};
}

DemoLine forged(std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/", {{"X-Forwarded-For", "203.0.113.66"}});
    return {answer.status == 200 && seen(answer, "X-Forwarded-For") == "127.0.0.1",
            "a forged X-Forwarded-For",
            fmt::format("{}; sent 203.0.113.66, the upstream saw {}", answer.status,
                        seen(answer, "X-Forwarded-For"))};
}

DemoLine websocket(std::uint16_t port) {
    const std::string echo = demo_websocket(port, "hello");
    return {echo == "hello", "a WebSocket", fmt::format("101; sent hello, back came {}", echo)};
}

DemoLine path(std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/api/users");
    const std::string line = answer.body.substr(0, answer.body.find("\r\n"));
    return {answer.status == 200 && line == "GET /users HTTP/1.1", "strip_prefix",
            fmt::format("{}; asked /api/users, the upstream saw {}", answer.status, line)};
}

DemoLine redirect(std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/old/page");
    return {answer.status == 301 && answer.location == "https://new.example.com/old/page",
            "a redirect", fmt::format("{}; Location: {}", answer.status, answer.location)};
}

DemoLine dead(std::uint16_t port) {
    const DemoAnswer answer = demo_get(port, "/dead");
    const std::size_t start = answer.body.find("nothing listens");
    const bool said = start != std::string::npos;
    const std::string cause = said ? answer.body.substr(start) : "no cause on the page";
    return {answer.status == 502 && said, "a dead upstream",
            fmt::format("{}; {}", answer.status, cause.substr(0, cause.find_first_of("<\n")))};
}

DemoLine typo(std::uint16_t) {
    const config::LoadResult loaded =
        config::load({"typo.yaml", {}, "hosts:\n  app.example.com:\n    upsteam: 3000\n"});
    std::string text = render_all(loaded.diagnostics);
    if (text.ends_with('\n')) text.pop_back();
    return {!loaded.snapshot && text.find("did you mean 'upstream'?") != std::string::npos,
            "a typo in a file", "refused\n" + text};
}

DemoLine tried(const char* title, DemoLine (*step)(std::uint16_t), std::uint16_t port) {
    try {
        return step(port);
    } catch (const std::exception& failure) {
        return {false, title, failure.what()};
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
        "hosts:\n"
        "  \"*\":\n"
        "    upstream: 127.0.0.1:{2}\n"
        "    locations:\n"
        "      /: {{}}\n"
        "      /api/: {{ strip_prefix: true }}\n"
        "      /old/: {{ redirect: \"https://new.example.com$request_uri\" }}\n"
        "      /dead: {{ upstream: \"127.0.0.1:{3}\" }}\n",
        directory, listen, upstream, dead);
}

std::vector<DemoLine> demo_tour(std::uint16_t port) {
    return {tried("a plain request", plain, port), tried("a forged X-Forwarded-For", forged, port),
            tried("a WebSocket", websocket, port), tried("strip_prefix", path, port),
            tried("a redirect", redirect, port),   tried("a dead upstream", dead, port),
            tried("a typo in a file", typo, port)};
}

}  // namespace proxyd::daemon
