#pragma once

#include <cassert>
#include <type_traits>
#include <utility>
#include <variant>

#include "proxyd/base/error.hpp"

namespace proxyd {

/// A value or an Error. Reading the side that is not there is a bug (asserted).
template <class T, class E = Error>
class [[nodiscard]] Result {
  public:
    // NOLINTNEXTLINE(google-explicit-constructor): `return value;` and `return error;` read well.
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }

    [[nodiscard]] T& value() & { return *std::get_if<0>(&state_); }
    [[nodiscard]] const T& value() const& { return *std::get_if<0>(&state_); }
    [[nodiscard]] T&& value() && { return std::move(*std::get_if<0>(&state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    [[nodiscard]] E& error() & { return *std::get_if<1>(&state_); }
    [[nodiscard]] const E& error() const& { return *std::get_if<1>(&state_); }
    [[nodiscard]] E&& error() && { return std::move(*std::get_if<1>(&state_)); }

  private:
    std::variant<T, E> state_;
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
