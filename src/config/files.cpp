#include "config/files.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "config/environment.hpp"
#include "config/merge.hpp"

namespace proxyd::config {
namespace {

constexpr std::size_t kDeepest = 16;

/// nullopt and `problem`. Only regular files and pipes that end: a directory is refused.
std::optional<std::string> read_file(const std::string& path, std::string& problem) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat facts {};
    std::string content;
    if (descriptor < 0 || ::fstat(descriptor, &facts) != 0) {
        problem = std::strerror(errno);
    } else if (S_ISDIR(facts.st_mode)) {
        problem = "it is a directory";
    } else {
        char block[65'536];
        ssize_t got = 0;
        while ((got = ::read(descriptor, block, sizeof block)) > 0) {
            content.append(block, static_cast<std::size_t>(got));
        }
        if (got < 0) problem = std::strerror(errno);
    }
    if (descriptor >= 0) ::close(descriptor);
    if (!problem.empty()) return std::nullopt;
    return content;
}

bool has_wildcard(std::string_view pattern) {
    return pattern.find_first_of("*?[") != std::string_view::npos;
}

/// Sorted by bytes, so that the order does not depend on the locale.
std::vector<std::string> expand(const std::string& pattern) {
    glob_t found{};
    std::vector<std::string> paths;
    if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
        paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::string identity(const std::string& path) {
    char* real = ::realpath(path.c_str(), nullptr);
    std::string result = real != nullptr ? real : path;
    std::free(real);
    return result;
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

class FileReader {
  public:
    FileReader(FileSet& set, Report& report) : set_(set), report_(report) {}

    std::optional<Node> parse(std::string name, std::string content) {
        set_.sources.push_back(std::make_unique<Source>(std::move(name), std::move(content)));
        auto node = parse_yaml(*set_.sources.back(), report_);
        if (node) substitute_environment(*node, report_);
        return node;
    }

    /// Follows the includes of `node` and merges them into the tree.
    void follow(const std::string& path, const Node& node) {
        open_.push_back(identity(path));
        const Node* include = node.find("include");
        if (include != nullptr) follow_include(path, *include);
        open_.pop_back();
    }

  private:
    void follow_include(const std::string& path, const Node& include) {
        if (include.is_scalar()) return include_pattern(path, include);
        if (!include.is_list()) return;
        for (const Node& item : include.items) {
            if (item.is_scalar()) include_pattern(path, item);
        }
    }

    void include_pattern(const std::string& path, const Node& pattern) {
        std::string full = pattern.text;
        if (!full.starts_with('/')) full = directory_of(path) + full;
        const auto files = has_wildcard(full) ? expand(full) : std::vector<std::string>{full};
        for (const std::string& file : files) include_file(file, pattern.at);
    }

    void include_file(const std::string& path, const Position& at) {
        if (std::find(open_.begin(), open_.end(), identity(path)) != open_.end()) {
            report_.error(at, "include goes round in a circle: " + path);
            return;
        }
        if (open_.size() >= kDeepest) {
            report_.error(at, "includes are nested too deeply", "16 levels are the limit");
            return;
        }
        std::string problem;
        auto content = read_file(path, problem);
        if (!content) {
            report_.error(at, "cannot read " + path + ": " + problem);
            return;
        }
        auto node = parse(path, *std::move(content));
        if (!node) return;
        follow_and_merge(path, *std::move(node));
    }

    void follow_and_merge(const std::string& path, Node node) {
        Node include;
        for (const Node& item : node.items) {
            if (item.key == "include" || item.key == "version") continue;
            include.items.push_back(item);
        }
        include.kind = Node::Kind::map;
        merge_file(set_.root, std::move(include), report_);
        follow(path, node);
    }

    FileSet& set_;
    Report& report_;
    std::vector<std::string> open_;
};

void read_overrides(const LoadOptions& options, FileReader& files, std::vector<Node>& overrides) {
    for (const std::string& text : options.overrides) {
        if (auto node = files.parse("-g", text)) overrides.push_back(*std::move(node));
    }
}

}  // namespace

std::vector<std::string> FileSet::names() const {
    std::vector<std::string> result;
    for (const auto& source : sources) result.push_back(*source->file);
    return result;
}

FileSet read_files(const LoadOptions& options, Report& report) {
    FileSet set;
    FileReader files(set, report);
    std::string problem;
    std::optional<std::string> content = options.text;
    if (options.text.empty()) content = read_file(options.path, problem);
    if (!content) {
        set.sources.push_back(std::make_unique<Source>(options.path, ""));
        report.error(Position{set.sources.back().get(), 0, 0, 1}, "cannot be read: " + problem);
        return set;
    }
    auto root = files.parse(options.path, *std::move(content));
    std::vector<Node> overrides;
    read_overrides(options, files, overrides);
    if (!root) return set;
    set.root = *std::move(root);
    // A copy: merging moves the entries of the tree.
    Node main;
    main.kind = Node::Kind::map;
    for (const Node& part : overrides) {
        if (const Node* include = part.find("include")) main.items.assign(1, *include);
    }
    if (const Node* include = set.root.find("include"); include != nullptr && main.items.empty()) {
        main.items.push_back(*include);
    }
    files.follow(options.path, main);
    for (Node& part : overrides) override_with(set.root, std::move(part));
    return set;
}

}  // namespace proxyd::config
