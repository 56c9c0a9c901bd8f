// split: weights over upstreams, in the place of `upstream`.
#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;

const std::string kUpstreams = "upstreams: { stable: 3000, canary: 3001 }\n";

std::string host(const std::string& keys) {
    return kUpstreams + "hosts: { a: { " + keys + " } }\n";
}

const Action& action_of(const std::shared_ptr<const Snapshot>& snapshot) {
    return snapshot->hosts.at(0).locations.at(0).action;
}

std::vector<std::string> shares(const Action& action) {
    std::vector<std::string> out;
    if (action.split == nullptr) return out;
    for (const auto& share : action.split->shares) {
        out.push_back(share.upstream + " " + std::to_string(share.weight));
    }
    return out;
}

TEST(SplitConfig, ShortAndLongForm) {
    const auto brief = must_load(host("split: { stable: 90, canary: 10 }"));
    EXPECT_THAT(shares(action_of(brief)), ElementsAre("stable 90", "canary 10"));
    EXPECT_EQ(action_of(brief).upstream, "");
    EXPECT_EQ(action_of(brief).split->key.source(), "$remote_addr");
    const auto whole =
        must_load(host("split: { upstreams: { stable: 1, 3005: 2 }, key: $cookie_x }"));
    EXPECT_THAT(shares(action_of(whole)), ElementsAre("stable 1", "127.0.0.1:3005 2"));
    EXPECT_EQ(action_of(whole).split->key.source(), "$cookie_x");
}

TEST(SplitConfig, IsHandedDownUntilALevelSaysOtherwise) {
    const auto snapshot =
        must_load(kUpstreams +
                  "defaults: { split: { stable: 1, canary: 1 } }\n"
                  "hosts:\n"
                  "  a: { locations: { /: {}, /one/: { upstream: stable }, /b/: { split: { canary: "
                  "3 } } } }\n"
                  "  b: { upstream: canary }\n"
                  "  c: { split: { stable: 5 }, locations: { /: { websocket: off } } }\n");
    const auto& a = snapshot->hosts[0].locations;
    EXPECT_THAT(shares(a[0].action), ElementsAre("stable 1", "canary 1"));
    EXPECT_EQ(a[1].action.upstream, "stable");
    EXPECT_EQ(a[1].action.split, nullptr);
    EXPECT_THAT(shares(a[2].action), ElementsAre("canary 3"));
    EXPECT_EQ(snapshot->hosts[1].locations[0].action.upstream, "canary");
    EXPECT_EQ(snapshot->hosts[1].locations[0].action.split, nullptr);
    EXPECT_THAT(shares(snapshot->hosts[2].locations[0].action), ElementsAre("stable 5"));
}

TEST(SplitConfig, SaysWhatIsWrong) {
    const auto problem = [](const std::string& keys) { return errors_of(host(keys)).at(0); };
    EXPECT_EQ(problem("split: { stabel: 90, canary: 10 }"),
              "2:24 unknown upstream 'stabel' | did you mean 'stable'?");
    EXPECT_EQ(problem("split: { stable: 90, canary: 0 }"),
              "2:44 the weight of 'canary' must be a number between 1 and 1000000, not 0 | "
              "leave 'canary' out to send nothing there");
    EXPECT_EQ(problem("split: { stable: -5 }"),
              "2:32 the weight of 'stable' must be a number between 1 and 1000000, not -5");
    EXPECT_EQ(problem("split: { stable: { weight: 5 } }"),
              "2:32 the weight of 'stable' must be a number between 1 and 1000000");
    EXPECT_EQ(problem("split: {}"),
              "2:15 this split has no upstreams | split: { stable: 90, canary: 10 }");
    EXPECT_EQ(problem("split: stable"),
              "2:22 'split' wants a map of upstreams and weights, not 'stable' | "
              "split: { stable: 90, canary: 10 }");
    EXPECT_EQ(problem("split: { upstreams: { stable: 1 }, kee: $uri }"),
              "2:50 unknown key 'kee' in 'split' | did you mean 'key'?");
    EXPECT_EQ(problem("upstream: stable, split: { stable: 1 }"),
              "2:33 'split' and 'upstream' exclude each other | split replaces upstream");
    EXPECT_EQ(problem("split: { stable: 1 }, return: 404"),
              "2:37 'return' and 'split' exclude each other | a host has one action, or locations");
    EXPECT_EQ(problem("locations: { /: { upstream: stable, split: { stable: 1 } } }"),
              "2:51 'split' and 'upstream' exclude each other | a location has one action");
}

TEST(SplitConfig, TheDumpWritesTheLongFormAndReadsItBack) {
    LoadOptions options;
    options.path = "test.yaml";
    options.text = host("split: { stable: 90, canary: 10 }");
    const auto again = must_load(dump(options));
    EXPECT_THAT(shares(action_of(again)), ElementsAre("stable 90", "canary 10")) << dump(options);
}

}  // namespace
}  // namespace proxyd::config
