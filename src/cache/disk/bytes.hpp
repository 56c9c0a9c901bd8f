#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace proxyd::cache::disk {

static_assert(std::endian::native == std::endian::little, "files are little endian");

/// Appends numbers and texts.
class ByteWriter {
  public:
    explicit ByteWriter(std::string& out) : out_(out) {}

    template <class Number>
    void number(Number value) {
        static_assert(std::is_integral_v<Number>);
        out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void text(std::string_view bytes) { out_.append(bytes); }
    void sized_text(std::string_view bytes) {
        number(static_cast<std::uint32_t>(bytes.size()));
        text(bytes);
    }

  private:
    std::string& out_;
};

/// Takes them out again. What does not fit gives zeros and empty texts, and failed() from then on.
class ByteReader {
  public:
    explicit ByteReader(std::string_view bytes) : left_(bytes) {}

    template <class Number>
    [[nodiscard]] Number number() noexcept {
        static_assert(std::is_integral_v<Number>);
        Number value{};
        const std::string_view bytes = text(sizeof value);
        if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    [[nodiscard]] std::string_view text(std::size_t size) noexcept {
        if (size > left_.size()) {
            failed_ = true;
            left_ = {};
            return {};
        }
        const std::string_view taken = left_.substr(0, size);
        left_.remove_prefix(size);
        return taken;
    }
    [[nodiscard]] std::string_view sized_text() noexcept { return text(number<std::uint32_t>()); }
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    /// Everything was taken, and it was there.
    [[nodiscard]] bool complete() const noexcept { return !failed_ && left_.empty(); }

  private:
    std::string_view left_;
    bool failed_ = false;
};

}  // namespace proxyd::cache::disk
