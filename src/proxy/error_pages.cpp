#include "error_pages.hpp"

#include <fmt/format.h>

namespace proxyd::proxy {
namespace {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '"': out += "&quot;"; break;
            default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
    }
    return out;
}

}  // namespace

const config::ErrorPage* find_error_page(const config::Policy& policy, int status) {
    const config::ErrorPage* of_class = nullptr;
    for (const config::ErrorPage& page : policy.error_pages) {
        if (!page.body) continue;
        if (!page.is_class && page.status == status) return &page;
        if (page.is_class && page.status == status / 100 * 100) of_class = &page;
    }
    return of_class;
}

std::string_view make_error_page(const Exchange& exchange, int status, const Error& why) {
    const std::string_view phrase = http::reason_phrase(status);
    std::string cause;
    const http::StreamFacts& facts = exchange.stream->facts();
    const bool from_here = facts.loopback_client && exchange.client.text == facts.remote_address;
    if (from_here && !why.detail.empty()) {
        cause = "<p>" + escaped(why.detail) + "</p>\n";
    }
    return exchange.arena.copy(fmt::format(
        "<!doctype html>\n<html><head><title>{0} {1}</title></head>\n<body>\n"
        "<h1>{0} {1}</h1>\n<p>{2}</p>\n{3}<p><code>{4}</code> {5}</p>\n</body></html>\n",
        status, phrase, describe(why.code), cause, word(why.code),
        escaped(exchange.request_id())));
}

}  // namespace proxyd::proxy
