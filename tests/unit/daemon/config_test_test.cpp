#include "daemon/config_test.hpp"

#include <gtest/gtest.h>

namespace proxyd::daemon {
namespace {

/// A label has at most 63 bytes: no server is asked.
const std::string kNoName = std::string(70, 'x') + ".invalid";

TEST(ConfigTest, LooksUpEveryNameInItsPlace) {
    std::vector<config::AskedName> names(40, {"localhost"});
    names[0].name = names[20].name = kNoName;
    const auto problems = look_up_names(names, {});
    ASSERT_EQ(problems.size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_EQ(problems[i].empty(), names[i].name == "localhost") << i << ": " << problems[i];
    }
    EXPECT_TRUE(look_up_names({}, {}).empty());
}

TEST(ConfigTest, RendersErrorsAlone) {
    config::Diagnostic error, warning;
    error.file = warning.file = "p.yaml";
    error.message = "bad";
    warning.message = "odd";
    warning.severity = config::Diagnostic::Severity::warning;
    EXPECT_EQ(render_all({error, warning}), "p.yaml: error: bad\np.yaml: warning: odd\n");
    EXPECT_EQ(render_all({error, warning}, true), "p.yaml: error: bad\n");
}

}  // namespace
}  // namespace proxyd::daemon
