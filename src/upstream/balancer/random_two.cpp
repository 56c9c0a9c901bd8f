#include "random_two.hpp"

namespace proxyd::upstream {
namespace {

constexpr int kTries = 20;

}  // namespace

int RandomTwo::pick(Candidates& candidates) const noexcept {
    int first = -1;
    std::uint64_t ticket = 0;
    for (int tries = 0; tries < kTries && list_.size() > 1; ++tries) {
        const std::uint64_t number = random_();
        if (tries == 0) ticket = number;  // drawing often must not outwit slow start
        const std::uint16_t drawn = list_.at(number % list_.total());
        if (drawn == first || !candidates.fit(drawn) || !candidates.ripe(drawn, ticket)) continue;
        if (first < 0) {
            first = drawn;
            continue;
        }
        const auto one = static_cast<std::size_t>(first);
        const std::size_t better =
            candidates.load(one) < candidates.load(drawn) ? one : std::size_t{drawn};
        if (candidates.take(better)) return static_cast<int>(better);
        first = -1;
    }
    return turns_.pick(candidates);
}

}  // namespace proxyd::upstream
