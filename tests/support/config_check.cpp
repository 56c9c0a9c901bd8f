#include "support/config_check.hpp"

#include "support/temp_dir.hpp"

#include <algorithm>
#include <set>

namespace proxyd::test {
namespace {

std::set<std::string> files_below(const std::filesystem::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        names.insert(std::filesystem::relative(entry.path(), directory).string());
    }
    return names;
}

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

}  // namespace

ConfigVerdict check_config(std::string_view yaml, const ConfigFiles& files) {
    const TempDir temp;
    Marks marks{{"TMP", temp.path().string()}};
    std::filesystem::permissions(temp.path(), std::filesystem::perms(0755));
    const auto path = temp.write("proxyd.yaml", marks.apply(yaml));
    for (const auto& [name, text] : files.more) temp.write(name, marks.apply(text));
    const auto before = files_below(temp.path());
    auto arguments = files.arguments;
    arguments.insert(arguments.end(), {"-c", path.string()});
    CliOptions options;
    options.env = files.env;
    options.as_nobody = files.as_nobody;
    const auto result = run_proxyd(arguments, options);
    ConfigVerdict verdict;
    verdict.exit_code = result.exit_code;
    verdict.text = replace_all(result.err, temp.path().string(), "DIR");
    verdict.out = replace_all(result.out, temp.path().string(), "DIR");
    std::ranges::set_difference(files_below(temp.path()), before,
                                std::back_inserter(verdict.left_behind));
    return verdict;
}

}  // namespace proxyd::test
