#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "proxyd/base/error.hpp"

namespace proxyd {

/// A value or an Error. Reading the side that is not there is a bug.
template <class T, class E = Error>
class [[nodiscard]] Result {
  public:
    // NOLINTNEXTLINE(google-explicit-constructor): `return value;` and `return error;` read well.
    Result(T value) : value_(std::move(value)) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(E error) : error_(std::make_unique<E>(std::move(error))) {}

    [[nodiscard]] bool ok() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }

    [[nodiscard]] T& value() & { return *value_; }
    [[nodiscard]] const T& value() const& { return *value_; }
    [[nodiscard]] T&& value() && { return *std::move(value_); }
    T& operator*() & { return *value_; }
    const T& operator*() const& { return *value_; }
    T&& operator*() && { return *std::move(value_); }
    T* operator->() { return &*value_; }
    const T* operator->() const { return &*value_; }

    [[nodiscard]] E& error() & { return *error_; }
    [[nodiscard]] const E& error() const& { return *error_; }
    [[nodiscard]] E&& error() && { return std::move(*error_); }

  private:
    std::optional<T> value_;
    std::unique_ptr<E> error_;  ///< failing is rare: success pays for one pointer
};

struct Ok {};

/// Result<void>: success carries nothing.
template <class E>
class [[nodiscard]] Result<void, E> : public Result<Ok, E> {
  public:
    Result() : Result<Ok, E>(Ok{}) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(E error) : Result<Ok, E>(std::move(error)) {}
};

}  // namespace proxyd
