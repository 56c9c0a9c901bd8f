#include "config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_map>
#include <utility>

#include "config/source_check.hpp"

namespace proxyd::config {
namespace {

constexpr std::size_t kDeepest = 64;
/// Nodes that aliases may add to one file: an anchor is for sharing a few lines.
constexpr std::size_t kMostCopied = 100'000;

/// Ends the parse from inside a callback; never leaves parse_yaml.
struct Refused {
    Position at;
    std::string message;
    std::string hint;
};

class TreeBuilder : public YAML::EventHandler {
  public:
    explicit TreeBuilder(const Source& source) : source_(source) {}

    Node root;
    int documents = 0;

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents > 1) {
            throw Refused{place(mark, 3), "a second document starts here",
                          "a configuration is one document; use 'include' for several files"};
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        Node node;
        node.at = place(mark, 1);
        // Behind "key:" the parser stands on the next token, maybe lines away.
        if (!open_.empty() && open_.back().awaits_value) node.at = open_.back().key_at;
        finish(std::move(node), anchor);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_tag(mark, tag);
        Node node;
        node.kind = Node::Kind::scalar;
        node.quoted = tag == "!";
        node.text = value;
        node.at = place(mark, value.size());
        if (node.quoted) measure_quotes(node);
        finish(std::move(node), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) {
            throw Refused{place(mark, 1), "an alias inside its own anchor", "this would never end"};
        }
        copied_ += count(found->second);
        if (copied_ > kMostCopied) {
            throw Refused{place(mark, 1), "the aliases of this file expand to too much", ""};
        }
        Node node = found->second;
        node.at = place(mark, 1);
        finish(std::move(node), 0);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        refuse_tag(mark, tag);
        start(Node::Kind::list, mark, anchor);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        refuse_tag(mark, tag);
        start(Node::Kind::map, mark, anchor);
    }
    void OnMapEnd() override { end(); }

  private:
    struct Open {
        Node node;
        YAML::anchor_t anchor = 0;
        bool awaits_value = false;
        bool repeated = false;  ///< the key was given before: its second value is dropped
        std::string key;
        Position key_at;
        std::unordered_map<std::string, Position> seen;  ///< filled only for larger maps
    };

    Position place(const YAML::Mark& mark, std::size_t length) const {
        Position at;
        at.source = &source_;
        at.line = mark.line + 1;
        at.column = mark.column + 1;
        at.length = static_cast<std::int32_t>(std::min<std::size_t>(length, 1'000));
        return at;
    }

    void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
        if (tag.empty() || tag == "?" || tag == "!") return;
        throw Refused{place(mark, 1), "YAML tags are not used here", "write the value plainly"};
    }

    /// yaml-cpp takes the end of the file for a closing quote.
    void measure_quotes(Node& node) const {
        const QuotedText quoted = find_quotes(source_, node.at);
        node.at.column += static_cast<std::int32_t>(quoted.skipped);
        node.at.length = static_cast<std::int32_t>(std::min<std::size_t>(quoted.length, 1'000));
        if (quoted.open) {
            node.at.length = 1;
            throw Refused{node.at, "this quote is never closed", ""};
        }
    }

    void start(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (open_.size() >= kDeepest) {
            throw Refused{place(mark, 1), "nested too deeply", "64 levels are the limit"};
        }
        if (!open_.empty() && open_.back().node.is_map() && !open_.back().awaits_value) {
            throw Refused{place(mark, 1), "a key must be a text, not a list or a map",
                          "quote a text that starts with '[' or '{'"};
        }
        Open open;
        open.node.kind = kind;
        open.node.at = place(mark, 1);
        open.anchor = anchor;
        open_.push_back(std::move(open));
    }

    void end() {
        Open closed = std::move(open_.back());
        open_.pop_back();
        finish(std::move(closed.node), closed.anchor);
    }

    void finish(Node node, YAML::anchor_t anchor) {
        if (anchor != 0) anchors_.emplace(anchor, node);
        if (open_.empty()) {
            root = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.is_list()) {
            parent.node.items.push_back(std::move(node));
        } else if (parent.awaits_value) {
            parent.awaits_value = false;
            if (std::exchange(parent.repeated, false)) return;
            node.key = std::move(parent.key);
            node.key_at = parent.key_at;
            parent.node.items.push_back(std::move(node));
        } else {
            take_key(parent, node);
        }
    }

    void take_key(Open& parent, const Node& node) {
        if (node.is_list() || node.is_map()) {
            throw Refused{node.at, "a key must be a text, not a list or a map", ""};
        }
        if (node.text == "<<" && !node.quoted) {
            throw Refused{node.at, "merge keys ('<<') are not used here",
                          "levels merge by name: put what is shared into 'defaults' or the host"};
        }
        if (node.is_null()) throw Refused{node.at, "a key is missing here", ""};
        parent.key = node.text;
        parent.key_at = node.at;
        parent.awaits_value = true;
        const auto [first, fresh] = parent.seen.emplace(node.text, node.at);
        parent.repeated = !fresh;
        if (!fresh) {
            duplicates.push_back(Refused{node.at, "'" + node.text + "' is given twice",
                                         "first given at " + first->second.text()});
        }
    }

    static std::size_t count(const Node& node) {
        std::size_t total = 1;
        for (const Node& item : node.items) total += count(item);
        return total;
    }

    const Source& source_;
    std::vector<Open> open_;
    std::unordered_map<YAML::anchor_t, Node> anchors_;
    std::size_t copied_ = 0;

  public:
    std::vector<Refused> duplicates;
};

/// Better words for the library's messages where operators meet them.
std::string hint_for(std::string_view line, const std::string& message) {
    if (message.find("anchor is not defined") != std::string::npos ||
        message.find("the referenced anchor") != std::string::npos ||
        message.find("alias") != std::string::npos || line.find(": *.") != std::string_view::npos ||
        line.find("- *.") != std::string_view::npos) {
        return "a name that starts with '*' needs quotes: \"*.example.com\", or write .example.com";
    }
    if (line.find('\t') != std::string_view::npos) return "indent with spaces, not with tabs";
    if (line.find(": ") != line.rfind(": ")) return "quote a value that contains ': '";
    return "";
}

void report_failure(const YAML::Exception& failure, const Source& source, Report& report) {
    Position at;
    at.source = &source;
    at.line = failure.mark.is_null() ? 1 : failure.mark.line + 1;
    at.column = failure.mark.is_null() ? 1 : failure.mark.column + 1;
    report.error(at, "not valid YAML: " + failure.msg, hint_for(source.line(at.line), failure.msg));
}

}  // namespace

std::optional<Node> parse_yaml(const Source& source, Report& report) {
    if (!check_text(source, report)) return std::nullopt;
    TreeBuilder builder(source);
    try {
        std::istringstream stream(source.text);
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Refused& refused) {
        report.error(refused.at, refused.message, refused.hint);
        return std::nullopt;
    } catch (const YAML::Exception& failure) {
        report_failure(failure, source, report);
        return std::nullopt;
    } catch (const std::exception& failure) {
        report.error(Position{&source, 1, 1, 1}, std::string("not valid YAML: ") + failure.what());
        return std::nullopt;
    }
    for (const Refused& twice : builder.duplicates) {
        report.error(twice.at, twice.message, twice.hint);
    }
    if (builder.root.is_null()) builder.root.kind = Node::Kind::map;
    if (builder.root.at.line == 0) builder.root.at = Position{&source, 1, 1, 1};
    if (!builder.root.is_map()) {
        report.error(builder.root.at,
                     "a configuration is a map of keys, not " + builder.root.describe());
        return std::nullopt;
    }
    return std::move(builder.root);
}

}  // namespace proxyd::config
