#include "support/daemon.hpp"

#include "support/ports.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#ifndef PROXYD_BINARY
#define PROXYD_BINARY "proxyd"
#endif

namespace proxyd::test {
namespace {

bool has_top_level_key(std::string_view yaml, const std::string& key) {
    const auto start = key + ":";
    return yaml.starts_with(start) || yaml.find("\n" + start) != std::string_view::npos;
}

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::string tail(const std::string& text, std::size_t size = 8000) {
    return text.size() <= size ? text : "..." + text.substr(text.size() - size);
}

bool has_sanitizer_report(const std::string& text) {
    for (const auto* mark : {"ERROR: AddressSanitizer", "WARNING: ThreadSanitizer",
                             "ERROR: LeakSanitizer", "runtime error: ", "Assertion `"}) {
        if (text.find(mark) != std::string::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::string Marks::value(const std::string& name) {
    auto found = marks_.find(name);
    if (found == marks_.end()) {
        found = marks_.emplace(name, std::to_string(claim_port())).first;
    }
    return found->second;
}

std::string Marks::apply(std::string_view text) {
    std::string result;
    while (true) {
        const auto open = text.find('@');
        const auto close = open == std::string_view::npos ? open : text.find('@', open + 1);
        if (close == std::string_view::npos) {
            return result.append(text);
        }
        const std::string name(text.substr(open + 1, close - open - 1));
        const bool is_mark = !name.empty() && name.find_first_not_of(
                                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                  "0123456789_") == std::string::npos;
        result.append(text.substr(0, open));
        if (is_mark) {
            result.append(value(name));
            text.remove_prefix(close + 1);
        } else {
            result += '@';
            text.remove_prefix(open + 1);
        }
    }
}

std::string binary_path() {
    const char* const chosen = std::getenv("PROXYD_BINARY");
    return chosen != nullptr ? chosen : PROXYD_BINARY;
}

CliResult run_proxyd(const std::vector<std::string>& arguments, const CliOptions& options) {
    const TempDir temp;
    SpawnOptions spawn;
    spawn.argv = {binary_path()};
    spawn.argv.insert(spawn.argv.end(), arguments.begin(), arguments.end());
    spawn.env = options.env;
    spawn.directory = options.directory.empty() ? temp.path() : options.directory;
    spawn.out = temp.write("out", "");
    spawn.err = temp.write("err", "");
    spawn.as_nobody = options.as_nobody;
    if (options.as_nobody) {
        std::filesystem::permissions(temp.path(), std::filesystem::perms::all);
        std::filesystem::permissions(spawn.out, std::filesystem::perms::all);
        std::filesystem::permissions(spawn.err, std::filesystem::perms::all);
    }
    ChildProcess child(spawn);
    auto status = child.wait(options.limit);
    if (!status) {
        child.signal(SIGKILL);
        status = child.wait(kLimit).value_or(ExitStatus{-1, SIGKILL});
    }
    CliResult result{status->code, status->signal, read_file(spawn.out), read_file(spawn.err)};
    if (status->crashed() || has_sanitizer_report(result.err)) {
        ADD_FAILURE() << "the program crashed (signal " << status->signal << "):\n" << result.err;
    }
    if (status->code == 127) {
        throw std::runtime_error("cannot run " + binary_path());
    }
    return result;
}

Daemon::Daemon(std::string_view yaml, Marks marks, DaemonOptions options)
    : marks_(std::move(marks)), options_(std::move(options)) {
    marks_.set("TMP", temp_.path().string());
    notify_ = std::make_unique<NotifySocket>(temp_.path() / "notify.sock");
    write_config(yaml);
    SpawnOptions spawn;
    spawn.argv = {binary_path(), "-c", config_path().string()};
    spawn.argv.insert(spawn.argv.end(), options_.arguments.begin(), options_.arguments.end());
    spawn.env = options_.env;
    spawn.env["NOTIFY_SOCKET"] = notify_->path().string();
    spawn.directory = temp_.path();
    spawn.out = temp_.path() / "stdout.log";
    spawn.err = temp_.path() / "stderr.log";
    spawn.max_files = options_.max_files;
    child_ = std::make_unique<ChildProcess>(spawn);
    if (!options_.wait_ready) {
        return;
    }
    const Deadline deadline(kLimit);
    while (!notify_->wait_for("READY=1", Duration(20))) {
        if (!child_->running() || deadline.passed()) {
            throw std::runtime_error("the daemon did not get ready:\n" + tail(log()));
        }
    }
}

Daemon::~Daemon() {
    if (child_->running()) {
        expected_end_ = true;
        signal(SIGTERM);
        if (!child_->wait(kLimit)) {
            ADD_FAILURE() << "the daemon did not stop on TERM";
        }
    }
    check_end();
}

std::uint16_t Daemon::port(const std::string& mark) {
    return static_cast<std::uint16_t>(std::stoi(marks_.value(mark)));
}

std::filesystem::path Daemon::config_path() const {
    return temp_.path() / "proxyd.yaml";
}

std::filesystem::path Daemon::access_path() const {
    return temp_.path() / "access.log";
}

void Daemon::write_config(std::string_view yaml) {
    const auto text = marks_.apply(options_.complete_config ? complete(yaml) : std::string(yaml));
    temp_.write("proxyd.yaml.new", text);
    std::filesystem::rename(temp_.path() / "proxyd.yaml.new", config_path());
}

void Daemon::reload(std::string_view yaml) {
    write_config(yaml);
    const auto result = cli({"-s", "reload"});
    if (result.exit_code != 0) {
        throw std::runtime_error("reload was refused: " + result.both());
    }
}

CliResult Daemon::cli(std::vector<std::string> arguments, Duration limit) const {
    arguments.insert(arguments.end(), {"-c", config_path().string()});
    CliOptions options;
    options.limit = limit;
    options.env = options_.env;
    return run_proxyd(arguments, options);
}

ExitStatus Daemon::wait_exit(Duration limit) {
    expected_end_ = true;
    const auto status = child_->wait(limit);
    if (!status) {
        ADD_FAILURE() << "the daemon still runs after " << limit.count() << " ms";
        return {};
    }
    return *status;
}

std::string Daemon::log() const {
    return read_file(temp_.path() / "stderr.log");
}

bool Daemon::wait_for_log(std::string_view text, Duration limit) const {
    return eventually([&] { return log().find(text) != std::string::npos; }, limit);
}

std::vector<std::string> Daemon::access_lines() const {
    return split_lines(read_file(access_path()));
}

std::vector<std::string> Daemon::wait_for_access(std::size_t count, Duration limit) const {
    if (!eventually([&] { return access_lines().size() >= count; }, limit)) {
        ADD_FAILURE() << "the access log has not got " << count << " lines:\n"
                      << tail(read_file(access_path()));
    }
    return access_lines();
}

Json Daemon::access(std::size_t index, Duration limit) const {
    const auto lines = wait_for_access(index + 1, limit);
    if (lines.size() <= index) {
        return {};
    }
    const auto parsed = Json::parse(lines[index]);
    EXPECT_TRUE(parsed) << "not JSON: " << lines[index];
    return parsed.value_or(Json());
}

std::size_t Daemon::status_value(const std::string& name, int base) const {
    std::ifstream status("/proc/" + std::to_string(pid()) + "/status");
    for (std::string word; status >> word;) {
        if (word == name && status >> word) {
            return std::stoull(word, nullptr, base);
        }
    }
    return 0;
}

double Daemon::cpu_seconds() const {
    const auto stat = read_file("/proc/" + std::to_string(pid()) + "/stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) {
        fields >> skipped;
    }
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::size_t Daemon::open_files() const {
    std::error_code error;
    const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid()) + "/fd",
                                                    error);
    return static_cast<std::size_t>(std::distance(files, std::filesystem::directory_iterator()));
}

std::string Daemon::complete(std::string_view yaml) const {
    std::string text(yaml);
    if (!text.ends_with('\n')) {
        text += '\n';
    }
    const auto add = [&](const std::string& key, const std::string& value) {
        if (!has_top_level_key(yaml, key)) {
            text += key + ": " + value + "\n";
        }
    };
    add("control", "@TMP@/control.sock");
    add("workers", "4");
    add("listeners", "{ http: \"127.0.0.1:@HTTP@\" }");
    add("log", "{ access: { path: @TMP@/access.log, format: json, buffer: 0 } }");
    return text;
}

void Daemon::check_end() {
    const auto status = child_->wait(Duration(0));
    const auto text = log();
    if (status && (status->crashed() || has_sanitizer_report(text))) {
        ADD_FAILURE() << "the daemon crashed (exit " << status->code << ", signal "
                      << status->signal << "):\n"
                      << tail(text);
    } else if (status && !expected_end_) {
        ADD_FAILURE() << "the daemon ended by itself (exit " << status->code << "):\n"
                      << tail(text);
    } else if (::testing::Test::HasFailure()) {
        GTEST_LOG_(INFO) << "the daemon said:\n" << tail(text);
    }
}

}  // namespace proxyd::test
