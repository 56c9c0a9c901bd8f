#include "proxyd/http/field.hpp"

#include <array>
#include <cstddef>

#include "proxyd/base/text.hpp"

namespace proxyd::http {
namespace {

constexpr std::array kNames{
    std::string_view{},
#define PROXYD_FIELD_NAME(id, name) std::string_view{name},
    PROXYD_FIELDS(PROXYD_FIELD_NAME)
#undef PROXYD_FIELD_NAME
};

constexpr std::size_t kSlots = 1024;

/// Length, first, middle and last letter place every name of the table in a slot of its own
/// (checked at compile time), so one comparison decides.
constexpr std::size_t slot_of(std::string_view name) noexcept {
    const auto letter = [&](std::size_t at) {
        return static_cast<std::size_t>(static_cast<unsigned char>(text::lower(name[at])));
    };
    const std::size_t size = name.size();
    return (size * 263 + letter(0) * 121 + letter(size / 2) * 509 + letter(size - 1) * 781 +
            letter(size / 4) * 461 + letter(size * 3 / 4) * 485) %
           kSlots;
}

constexpr std::array<std::uint8_t, kSlots> make_slots() {
    std::array<std::uint8_t, kSlots> slots{};
    for (std::size_t i = 1; i < kNames.size(); ++i) {
        const std::size_t slot = slot_of(kNames[i]);
        if (slots[slot] != 0) throw "two field names share a slot: change the multipliers";
        slots[slot] = static_cast<std::uint8_t>(i);
    }
    return slots;
}

constexpr auto kTable = make_slots();

}  // namespace

FieldId classify(std::string_view name) noexcept {
    if (name.size() < 2) return FieldId::other;
    const std::uint8_t index = kTable[slot_of(name)];
    return text::iequals(name, kNames[index]) ? static_cast<FieldId>(index) : FieldId::other;
}

std::string_view name_of(FieldId id) noexcept { return kNames[static_cast<std::size_t>(id)]; }

}  // namespace proxyd::http
