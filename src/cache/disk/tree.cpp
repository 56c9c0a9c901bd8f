#include "cache/disk/tree.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "proxyd/base/random.hpp"

namespace proxyd::cache::disk {
namespace {

constexpr std::string_view kTemporary = "tmp-";
constexpr std::size_t kDigits = 32;
constexpr mode_t kDirectoryMode = 0700;

bool all_hex(std::string_view text) noexcept {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The first digits of this process's temporary names.
std::string_view process_digits() noexcept {
    static const RandomId kId = random_id();
    return view(kId).substr(0, 8);
}

std::uint64_t number(std::string_view digits) noexcept {
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return value;
}

}  // namespace

std::string Tree::directory(const Key& key, std::size_t depth) const {
    const KeyText name = hex(key);
    std::string path = root_;
    std::size_t end = name.size();
    for (std::size_t i = 0; i < depth; ++i) {
        end -= levels_[i];
        path.append("/").append(name.data() + end, levels_[i]);
    }
    return path += '/';
}

std::string Tree::path(const Key& key) const {
    return directory(key, levels_.size()).append(view(hex(key)));
}

std::string Tree::temporary_path(const Key& key) const {
    const RandomId id = random_id();
    return directory(key, levels_.size())
        .append(kTemporary)
        .append(process_digits())
        .append(view(id).substr(process_digits().size()));
}

int Tree::make_directories(const Key& key) const {
    for (std::size_t depth = 0; depth <= levels_.size(); ++depth) {
        if (::mkdir(directory(key, depth).c_str(), kDirectoryMode) != 0 && errno != EEXIST) {
            return errno;
        }
    }
    return 0;
}

int Tree::make_root() const {
    return ::mkdir(root_.c_str(), kDirectoryMode) != 0 && errno != EEXIST ? errno : 0;
}

Tree::Name Tree::kind_of(std::string_view name) noexcept {
    const bool temporary = name.starts_with(kTemporary);
    if (temporary) name.remove_prefix(kTemporary.size());
    if (name.size() != kDigits || !all_hex(name)) return Name::foreign;
    return temporary ? Name::temporary : Name::entry;
}

Key Tree::key_of_name(std::string_view name) noexcept {
    return {number(name.substr(0, 16)), number(name.substr(16))};
}

bool Tree::is_of_this_process(std::string_view name) noexcept {
    return name.substr(kTemporary.size()).starts_with(process_digits());
}

}  // namespace proxyd::cache::disk
