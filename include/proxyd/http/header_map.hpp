#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "proxyd/base/pool.hpp"
#include "proxyd/base/text.hpp"
#include "proxyd/http/field.hpp"

namespace proxyd::http {

struct Field {
    std::string_view name;
    std::string_view value;
    FieldId id = FieldId::other;

    [[nodiscard]] bool is(FieldId wanted, std::string_view wanted_name) const noexcept {
        return wanted != FieldId::other ? id == wanted
                                        : id == FieldId::other && text::iequals(name, wanted_name);
    }
};

using FieldList = std::vector<Field, PoolAllocator<Field>>;

/// The fields of a message in order, repeated names kept. Names and values are *views*: the
/// receive buffer or the exchange's Arena owns the bytes and outlives the map. One thread.
class HeaderMap {
  public:
    HeaderMap() = default;
    HeaderMap(HeaderMap&&) noexcept = default;
    HeaderMap& operator=(HeaderMap&&) noexcept = default;
    HeaderMap(const HeaderMap&) = delete;
    HeaderMap& operator=(const HeaderMap&) = delete;
    ~HeaderMap() = default;

    void add(FieldId id, std::string_view name, std::string_view value) {
        if (fields_.capacity() == 0) fields_.reserve(kUsualFields);
        fields_.push_back(Field{name, value, id});
        present_.insert(id);
    }
    void add(std::string_view name, std::string_view value) { add(classify(name), name, value); }
    void add(FieldId id, std::string_view value) { add(id, name_of(id), value); }

    /// Whether a known field may be present (exact after adds; removal does not clear it).
    [[nodiscard]] bool maybe(FieldId id) const noexcept { return present_.contains(id); }

    /// First value, or nullopt.
    [[nodiscard]] std::optional<std::string_view> get(FieldId id) const noexcept;
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const noexcept;
    [[nodiscard]] std::size_t count(FieldId id) const noexcept;

    void remove(FieldId id) noexcept;
    void remove(std::string_view name) noexcept;
    void remove_all(FieldSet ids) noexcept;
    /// Replaces every field of that name by one, in the place of the first; adds when absent.
    void set(FieldId id, std::string_view name, std::string_view value);

    void clear() noexcept {
        fields_.clear();
        present_ = {};
    }
    [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
    [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }
    [[nodiscard]] auto begin() const noexcept { return fields_.begin(); }
    [[nodiscard]] auto end() const noexcept { return fields_.end(); }
    [[nodiscard]] FieldList& raw() noexcept { return fields_; }

  private:
    static constexpr std::size_t kUsualFields = 24;

    FieldList fields_;
    FieldSet present_;
};

}  // namespace proxyd::http
