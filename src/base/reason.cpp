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
    return reason == Reason::none ? std::string_view{} : row(reason).word;
}

std::string_view describe(Reason reason) noexcept { return row(reason).text; }

int status_of(Reason reason) noexcept { return row(reason).status; }

}  // namespace proxyd
