#include "tls_error.hpp"

#include <openssl/err.h>

namespace proxyd::net::tls {
namespace {

constexpr int kTruncated = 1;
constexpr int kUnknown = 2;

class Category final : public boost::system::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "tls"; }
    [[nodiscard]] std::string message(int value) const override {
        if (value == kTruncated) return "the TLS connection ended without close_notify";
        const char* text = ERR_reason_error_string(static_cast<unsigned>(value));
        return text != nullptr ? std::string("TLS: ") + text : "the TLS connection broke";
    }
};

const Category kCategory;

}  // namespace

ErrorCode take_error() noexcept {
    const auto value = static_cast<int>(ERR_get_error());
    ERR_clear_error();
    return {value != 0 ? value : kUnknown, kCategory};
}

ErrorCode truncated() noexcept {
    return {kTruncated, kCategory};
}

}  // namespace proxyd::net::tls
