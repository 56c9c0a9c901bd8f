#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxyd/base/result.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/vars/scope.hpp"

namespace proxyd::policy {

/// `maps:` of a snapshot, compiled. Texts are compared without case; order: exact, longest mask
/// with a leading '*', longest with a trailing '*', first regex in file order, default. The value
/// '' matches an absent source; regexes are not tried on it. Immutable, shared by threads; views
/// of the snapshot, which outlives it.
class Maps {
  public:
    static Result<std::unique_ptr<const Maps>> build(const config::Snapshot& snapshot);
    ~Maps();
    Maps(const Maps&) = delete;
    Maps& operator=(const Maps&) = delete;

    /// Appends the value of $name. Maps may use maps; what goes deeper than 8 is empty.
    void append(std::string_view name, const vars::Scope& scope, std::string& out) const;
    /// The value for a source text; null when there is no such map.
    [[nodiscard]] const vars::Template* find(std::string_view name, std::string_view source) const;

  private:
    struct Impl;
    explicit Maps(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace proxyd::policy
