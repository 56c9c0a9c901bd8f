#include "proxyd/config/load.hpp"

#include "config/files.hpp"
#include "config/read_top.hpp"

namespace proxyd::config {

LoadResult load(const LoadOptions& options) {
    Report report;
    const FileSet files = read_files(options, report);
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->source_path = options.path;
    if (files.root.is_map()) {
        Reader reader(report, *snapshot);
        read_top(reader, files.root);
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
