#include "proxyd/http/fields/date.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace proxyd::http {
namespace {

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::array<std::string_view, 7> kLongDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr UnixSeconds kDay = 86'400;

void put_digits(char* to, unsigned value, int digits) noexcept {
    for (int i = digits - 1; i >= 0; --i, value /= 10) to[i] = static_cast<char>('0' + value % 10);
}

/// Takes a date apart from the left; the first mismatch spoils the rest.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    void literal(std::string_view expected) noexcept {
        if (!rest_.starts_with(expected)) return fail();
        rest_.remove_prefix(expected.size());
    }

    [[nodiscard]] int number(std::size_t digits) noexcept {
        if (rest_.size() < digits) return fail(), 0;
        int value = 0;
        for (const char c : rest_.substr(0, digits)) {
            if (c < '0' || c > '9') return fail(), 0;
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(digits);
        return value;
    }

    /// " 6" or "16" (asctime).
    [[nodiscard]] int padded_day() noexcept {
        if (!rest_.starts_with(' ')) return number(2);
        rest_.remove_prefix(1);
        return number(1);
    }

    /// Index of a three-letter word in a table.
    [[nodiscard]] int word(std::string_view table) noexcept {
        const std::size_t at = rest_.size() < 3 ? table.npos : table.find(rest_.substr(0, 3));
        if (at == table.npos || at % 3 != 0) return fail(), 0;
        rest_.remove_prefix(3);
        return static_cast<int>(at / 3);
    }

    void long_day() noexcept {
        const auto day = std::ranges::find_if(
            kLongDays, [this](std::string_view name) { return rest_.starts_with(name); });
        if (day == kLongDays.end()) return fail();
        rest_.remove_prefix(day->size());
    }

    [[nodiscard]] bool done() const noexcept { return ok_ && rest_.empty(); }

  private:
    void fail() noexcept {
        ok_ = false;
        rest_ = {};
    }
    std::string_view rest_;
    bool ok_ = true;
};

struct Parts {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void read_time(Reader& reader, Parts& parts) noexcept {
    parts.hour = reader.number(2);
    reader.literal(":");
    parts.minute = reader.number(2);
    reader.literal(":");
    parts.second = reader.number(2);
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
Parts read_imf(Reader& reader) noexcept {
    Parts parts;
    (void)reader.word(kDays);
    reader.literal(", ");
    parts.day = reader.number(2);
    reader.literal(" ");
    parts.month = reader.word(kMonths) + 1;
    reader.literal(" ");
    parts.year = reader.number(4);
    reader.literal(" ");
    read_time(reader, parts);
    reader.literal(" GMT");
    return parts;
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"
Parts read_rfc850(Reader& reader, int this_year) noexcept {
    Parts parts;
    reader.long_day();
    reader.literal(", ");
    parts.day = reader.number(2);
    reader.literal("-");
    parts.month = reader.word(kMonths) + 1;
    reader.literal("-");
    parts.year = this_year - this_year % 100 + reader.number(2);
    if (parts.year > this_year + 50) parts.year -= 100;
    reader.literal(" ");
    read_time(reader, parts);
    reader.literal(" GMT");
    return parts;
}

/// "Sun Nov  6 08:49:37 1994"
Parts read_asctime(Reader& reader) noexcept {
    Parts parts;
    (void)reader.word(kDays);
    reader.literal(" ");
    parts.month = reader.word(kMonths) + 1;
    reader.literal(" ");
    parts.day = reader.padded_day();
    reader.literal(" ");
    read_time(reader, parts);
    reader.literal(" ");
    parts.year = reader.number(4);
    return parts;
}

std::chrono::year_month_day day_of(UnixSeconds time) noexcept {
    using namespace std::chrono;
    return year_month_day(floor<days>(sys_seconds(seconds(time))));
}

std::optional<UnixSeconds> to_seconds(const Parts& parts) noexcept {
    using namespace std::chrono;
    const year_month_day date(year(parts.year), month(static_cast<unsigned>(parts.month)),
                              day(static_cast<unsigned>(parts.day)));
    // A leap second (60) is allowed by the grammar.
    if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) {
        return std::nullopt;
    }
    const UnixSeconds days_since = sys_days(date).time_since_epoch().count();
    return days_since * kDay + parts.hour * 3600 + parts.minute * 60 + parts.second;
}

}  // namespace

DateText format_date(UnixSeconds time) noexcept {
    using namespace std::chrono;
    const year_month_day date = day_of(time);
    const auto in_day = static_cast<unsigned>(((time % kDay) + kDay) % kDay);
    const unsigned week_day = weekday(sys_days(date)).c_encoding();
    const unsigned month_index = static_cast<unsigned>(date.month()) - 1;

    DateText text;
    std::memcpy(text.data(), "Sun, 06 Nov 1994 08:49:37 GMT", text.size());
    std::memcpy(text.data(), kDays.data() + week_day * 3, 3);
    put_digits(text.data() + 5, static_cast<unsigned>(date.day()), 2);
    std::memcpy(text.data() + 8, kMonths.data() + month_index * 3, 3);
    put_digits(text.data() + 12, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put_digits(text.data() + 17, in_day / 3600, 2);
    put_digits(text.data() + 20, in_day / 60 % 60, 2);
    put_digits(text.data() + 23, in_day % 60, 2);
    return text;
}

std::optional<UnixSeconds> parse_date(std::string_view text, UnixSeconds now) noexcept {
    Reader reader(text);
    const std::size_t comma = text.find(',');
    const Parts parts = comma == 3 ? read_imf(reader)
                        : comma == text.npos
                            ? read_asctime(reader)
                            : read_rfc850(reader, static_cast<int>(day_of(now).year()));
    if (!reader.done()) return std::nullopt;
    return to_seconds(parts);
}

}  // namespace proxyd::http
