#include "proxyd/config/load.hpp"

#include "config/files.hpp"
#include "config/keys_tls.hpp"
#include "config/read_top.hpp"
#include "config/reader.hpp"

namespace proxyd::config {
namespace {

/// A name that does not resolve now may do so later: a warning, at every place that gives it.
void check_names(const NameCheck& check, const Reader& reader, Report& report) {
    std::vector<AskedName> names;
    for (const auto& [name, places] : reader.looked_up) names.push_back(name);
    if (!check || names.empty()) return;
    const std::vector<std::string> problems = check(names, reader.snapshot.resolver);
    for (std::size_t i = 0; i < names.size() && i < problems.size(); ++i) {
        if (problems[i].empty()) continue;
        for (const Position& at : reader.looked_up.at(names[i])) {
            report.warning(at, "'" + names[i].name + "' cannot be resolved: " + problems[i],
                           "its server is down until the name resolves");
        }
    }
}

}  // namespace

LoadResult load(const LoadOptions& options) {
    Report report;
    const FileSet files = read_files(options, report);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->source_path = options.path;
    if (files.root.is_map()) {
        Reader reader(report, *snapshot);
        if (options.served != nullptr) reuse_certificates(reader, *options.served);
        read_top(reader, files.root);
        check_names(options.check_names, reader, report);
    }
    LoadResult result;
    if (!report.failed()) result.snapshot = std::move(snapshot);
    result.diagnostics = report.take(files.names());
    return result;
}

EffectiveTimeouts effective(const Timeouts& location, const Timeouts& upstream) {
    EffectiveTimeouts result;
    const auto choose = [](Duration& place, const std::optional<Duration>& inner,
                           const std::optional<Duration>& outer) {
        place = inner.value_or(outer.value_or(place));
    };
    choose(result.connect, location.connect, upstream.connect);
    choose(result.send, location.send, upstream.send);
    choose(result.read, location.read, upstream.read);
    choose(result.upgraded, location.upgraded, upstream.upgraded);
    choose(result.total, location.total, upstream.total);
    return result;
}

}  // namespace proxyd::config
