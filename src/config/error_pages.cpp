#include <algorithm>

#include "config/sections.hpp"
#include "config/small_file.hpp"
#include "config/store.hpp"
#include "proxyd/base/units.hpp"

namespace proxyd::config {
namespace {

std::string content_type(std::string_view path) {
    const auto dot = path.rfind('.');
    const std::string_view end = dot == std::string_view::npos ? "" : path.substr(dot);
    if (end == ".html" || end == ".htm") return "text/html; charset=utf-8";
    if (end == ".json") return "application/json";
    if (end == ".xml") return "application/xml";
    if (end == ".svg") return "image/svg+xml";
    return "text/plain; charset=utf-8";
}

/// "502" or "5xx".
std::optional<ErrorPage> parse_status(std::string_view text) {
    ErrorPage page;
    if (text == "4xx" || text == "5xx") {
        page.status = text == "4xx" ? 400 : 500;
        page.is_class = true;
        return page;
    }
    const auto status = units::parse_count(text);
    if (!status || *status < 400 || *status > 599) return std::nullopt;
    page.status = static_cast<int>(*status);
    return page;
}

void read_error_page(Reader& reader, const Node& node, Policy& policy) {
    auto page = parse_status(node.key);
    if (!page) {
        reader.report.error(node.key_at, "'" + node.key + "' is not a status of an error",
                            "400 to 599, 4xx or 5xx");
        return;
    }
    if (!reader.text(node, node.key)) return;
    page->path = resolve_path(node);
    auto& body = reader.pages[page->path];
    std::string problem;
    if (body == nullptr) body = read_small_file(page->path, problem);
    if (body == nullptr) {
        reader.report.error(node.at, "the error page " + page->path + " " + problem);
        return;
    }
    page->body = body;
    page->content_type = content_type(page->path);
    std::erase_if(policy.error_pages, [&](const ErrorPage& other) {
        return other.status == page->status && other.is_class == page->is_class;
    });
    policy.error_pages.push_back(*std::move(page));
}

}  // namespace

void store_error_pages(Reader& reader, const Key& key, const Node& node, void* policy) {
    if (!node.is_map() && !node.is_null()) {
        return reader.wrong(node, key.name, "a map", "error_pages: { 5xx: /etc/proxyd/5xx.html }");
    }
    for (const Node& item : node.items) {
        read_error_page(reader, item, *static_cast<Policy*>(policy));
    }
}

}  // namespace proxyd::config
