#include "daemon/build_info.hpp"

#include <ares_version.h>
#include <fmt/core.h>
#include <llhttp.h>
#include <openssl/crypto.h>
#include <spdlog/version.h>
#include <CLI/Version.hpp>
#include <boost/version.hpp>

#ifndef PROXYD_VERSION
#define PROXYD_VERSION "0"
#define PROXYD_BUILD_TYPE "unknown"
#define PROXYD_YAML_CPP ""
#define PROXYD_RE2 ""
#endif

namespace proxyd::daemon {
namespace {

/// What CMake was asked for: NDEBUG says nothing here, a release keeps its assertions.
constexpr const char* kBuild = PROXYD_BUILD_TYPE
#ifdef PROXYD_SANITIZED
    ", sanitizers"
#endif
    ;

}  // namespace

std::string version() {
    return PROXYD_VERSION;
}

std::string build_info() {
    return fmt::format(
        "proxyd {}\n"
        "compiler: {} {}\n"
        "build: {}\n"
        "Boost {}.{}.{}\n"
        "{}\n"
        "llhttp {}.{}.{}\n"
        "yaml-cpp {}\n"
        "spdlog {}.{}.{}, fmt {}.{}.{}\n"
        "RE2 {}\n"
        "c-ares {}\n"
        "CLI11 {}\n"
        "features: http/1.1 upgrade reload strict-framing epoll\n",
        version(),
#ifdef __clang__
        "clang",
#else
        "gcc",
#endif
        __VERSION__, kBuild, BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
        BOOST_VERSION % 100, OpenSSL_version(OPENSSL_VERSION), LLHTTP_VERSION_MAJOR,
        LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH, PROXYD_YAML_CPP, SPDLOG_VER_MAJOR,
        SPDLOG_VER_MINOR, SPDLOG_VER_PATCH, FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
        FMT_VERSION % 100, PROXYD_RE2, ARES_VERSION_STR, CLI11_VERSION);
}

}  // namespace proxyd::daemon
