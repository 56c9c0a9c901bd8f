#include "daemon/remote.hpp"

#include <gtest/gtest.h>

#include "unit/daemon/files.hpp"

namespace proxyd::daemon {
namespace {

std::string control_of(const std::string& text, std::vector<std::string> overrides = {}) {
    const TestDirectory directory;
    Options options;
    options.config = directory.write("proxyd.yaml", text);
    options.overrides = std::move(overrides);
    return control_path(options);
}

TEST(ControlPath, is_what_the_configuration_says) {
    EXPECT_EQ(control_of("hosts: { a.example.com: 1 }\n"), "/run/proxyd/control.sock");
    EXPECT_EQ(control_of("control: /tmp/x.sock\nhosts: { a.example.com: 1 }\n"), "/tmp/x.sock");
    EXPECT_EQ(control_of("hosts: { a.example.com: 1 }\n", {"control: /tmp/g.sock"}), "/tmp/g.sock");
}

TEST(ControlPath, is_found_in_a_file_that_is_refused) {
    EXPECT_EQ(control_of("control: /tmp/x.sock\nhosts: { a: { upsteam: 1 } }\n"), "/tmp/x.sock");
    EXPECT_EQ(control_of("control: \"/tmp/x y.sock\"  # here\nhosts: [\n"), "/tmp/x y.sock");
    EXPECT_EQ(control_of("control: /tmp/x.sock # here\nhosts: [\n"), "/tmp/x.sock");
    EXPECT_EQ(control_of("hosts: [\n"), "/run/proxyd/control.sock");
    EXPECT_EQ(control_of("hosts: [\n", {"control: /tmp/g.sock"}), "/tmp/g.sock");
}

}  // namespace
}  // namespace proxyd::daemon
