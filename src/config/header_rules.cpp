#include <algorithm>

#include "config/sections.hpp"
#include "config/store.hpp"
#include "config/suggest.hpp"
#include "proxyd/base/text.hpp"

namespace proxyd::config {
namespace {

using Rules = std::vector<HeaderRule>;

/// Fields that carry the framing or the connection: the proxy makes them itself.
constexpr http::FieldSet kOwned{
    http::FieldId::connection, http::FieldId::content_length,    http::FieldId::http2_settings,
    http::FieldId::keep_alive, http::FieldId::proxy_connection,  http::FieldId::te,
    http::FieldId::trailer,    http::FieldId::transfer_encoding, http::FieldId::upgrade};

/// Reads one map of header rules; the rules of this level replace those of the outer one which
/// name the same field.
class RuleReader {
  public:
    RuleReader(Reader& reader, Rules& rules, bool request)
        : reader_(reader), outer_(rules), request_(request) {}

    void read(const Key& key, const Node& node) {
        if (node.is_null()) return;
        if (!node.is_map()) return reader_.wrong(node, key.name, "set, add and remove");
        for (const Node& item : node.items) read_group(key, item);
        Rules merged;
        for (HeaderRule& rule : outer_) {
            if (!named(rule.name)) merged.push_back(std::move(rule));
        }
        std::move(rules_.begin(), rules_.end(), std::back_inserter(merged));
        outer_ = std::move(merged);
    }

  private:
    void read_group(const Key& key, const Node& node) {
        if (key.inner->find(node.key) == nullptr) {
            std::string hint = did_you_mean(node.key, {"set", "add", "remove"});
            if (hint.empty()) hint = "set, add or remove: set: { " + node.key + ": ... }";
            reader_.report.error(
                node.key_at, "unknown key '" + node.key + "' in '" + std::string(key.name) + "'",
                std::move(hint));
        } else if (node.key == "remove") {
            read_remove(node);
        } else if (node.is_map()) {
            for (const Node& item : node.items) read_values(node.key == "set", item);
        } else if (!node.is_null()) {
            reader_.wrong(node, node.key, "a map of fields", node.key + ": { X-Name: value }");
        }
    }

    void read_remove(const Node& node) {
        for (const Node* item : reader_.scalars(node, node.key)) {
            if (!check_name(item->text, item->at)) continue;
            if (is_host(item->text)) return needs_host(item->at);
            add(HeaderRule::Op::remove, item->text, {});
        }
    }

    void read_values(bool set, const Node& node) {
        if (!check_name(node.key, node.key_at)) return;
        if (node.is_list() && !set) {
            for (const Node& item : node.items) read_value(HeaderRule::Op::add, node.key, item);
        } else if (set && (node.is_null() || (node.is_scalar() && node.text.empty()))) {
            if (is_host(node.key)) return needs_host(node.at);
            add(HeaderRule::Op::remove, node.key, {});
        } else {
            // There is one Host in a request: to add is to set.
            const bool replaces = set || is_host(node.key);
            read_value(replaces ? HeaderRule::Op::set : HeaderRule::Op::add, node.key, node);
        }
    }

    void read_value(HeaderRule::Op op, const std::string& name, const Node& node) {
        auto value = reader_.variables(node, name);
        if (!value) return;
        if (is_field_value(reader_, node, name)) add(op, name, *std::move(value));
    }

    bool is_host(std::string_view name) const {
        return request_ && http::classify(name) == http::FieldId::host;
    }

    void needs_host(const Position& at) {
        reader_.report.error(at, "a request always has a Host",
                             "give it another value with set, or leave it out");
    }

    bool check_name(const std::string& name, const Position& at) {
        if (!is_token(name)) {
            reader_.report.error(at, "'" + name + "' is not a field name");
            return false;
        }
        const http::FieldId id = http::classify(name);
        if (!kOwned.contains(id)) return true;
        const bool upgrade = id == http::FieldId::upgrade || id == http::FieldId::connection;
        reader_.report.error(
            at, "'" + name + "' is made by proxyd itself",
            upgrade && request_ ? "WebSocket passes through without it" : "leave it out");
        return false;
    }

    void add(HeaderRule::Op op, const std::string& name, vars::Template value) {
        HeaderRule rule;
        rule.op = op;
        rule.id = http::classify(name);
        rule.name = name;
        rule.value = std::move(value);
        rules_.push_back(std::move(rule));
    }

    bool named(std::string_view name) const {
        return std::any_of(rules_.begin(), rules_.end(),
                           [&](const HeaderRule& rule) { return text::iequals(rule.name, name); });
    }

    Reader& reader_;
    Rules& outer_;
    bool request_;
    Rules rules_;
};

HeaderRule absent_rule(http::FieldId id, std::string value) {
    HeaderRule rule;
    rule.op = HeaderRule::Op::set_if_absent;
    rule.id = id;
    rule.name = http::name_of(id);
    rule.value = vars::Template(std::move(value));
    return rule;
}

}  // namespace

bool is_token(std::string_view text) {
    constexpr std::string_view kRefused = "\"(),/:;<=>?@[\\]{} \t";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F &&
               kRefused.find(c) == std::string_view::npos;
    });
}

bool is_field_value(Reader& reader, const Node& node, std::string_view name) {
    const bool bad = std::any_of(node.text.begin(), node.text.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
    });
    if (bad) {
        reader.report.error(node.at, "'" + std::string(name) + "' has a control character",
                            "a field is one line");
    }
    return !bad;
}

void store_request_headers(Reader& reader, const Key& key, const Node& node, void* policy) {
    RuleReader(reader, static_cast<Policy*>(policy)->request_headers, true).read(key, node);
}

void store_response_headers(Reader& reader, const Key& key, const Node& node, void* policy) {
    RuleReader(reader, static_cast<Policy*>(policy)->response_headers, false).read(key, node);
}

void apply_security_headers(Policy& policy) {
    Rules& rules = policy.response_headers;
    std::erase_if(rules,
                  [](const HeaderRule& rule) { return rule.op == HeaderRule::Op::set_if_absent; });
    if (!policy.security_headers) return;
    Rules first;
    HeaderRule hsts = absent_rule(http::FieldId::strict_transport_security, "max-age=63072000");
    hsts.over_tls = true;  // RFC 6797 7.2
    for (HeaderRule rule :
         {std::move(hsts), absent_rule(http::FieldId::x_content_type_options, "nosniff"),
          absent_rule(http::FieldId::x_frame_options, "DENY")}) {
        // A rule of the operator's own for the field decides alone.
        if (std::none_of(rules.begin(), rules.end(),
                         [&](const HeaderRule& own) { return own.id == rule.id; })) {
            first.push_back(std::move(rule));
        }
    }
    rules.insert(rules.begin(), first.begin(), first.end());
}

}  // namespace proxyd::config
