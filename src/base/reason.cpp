#include "proxyd/base/reason.hpp"

#include <array>

namespace proxyd {
namespace {

struct Row {
    std::string_view word;
    int status;
    std::string_view text;
};

constexpr std::array kRows{
#define PROXYD_REASON_ROW(name, status, text) Row{#name, status, text},
    PROXYD_REASONS(PROXYD_REASON_ROW)
#undef PROXYD_REASON_ROW
};

const Row& row(Reason reason) noexcept { return kRows[static_cast<std::size_t>(reason)]; }

}  // namespace

std::string_view word(Reason reason) noexcept {
    if (reason == Reason::none) return {};
    // The contract has one word for two reasons each; the status tells them apart.
    if (reason == Reason::upstream_header_too_large) reason = Reason::header_too_large;
    if (reason == Reason::no_healthy_upstream) reason = Reason::no_live_upstream;
    return row(reason).word;
}

std::string_view describe(Reason reason) noexcept { return row(reason).text; }

int status_of(Reason reason) noexcept { return row(reason).status; }

}  // namespace proxyd
