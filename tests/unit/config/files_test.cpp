#include <cstdlib>

#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Files, IncludesMergeInTheOrderOfTheirNames) {
    const Directory d;
    d.write("conf.d/b.yaml", "hosts: { b: up }\nlog: { formats: { f: $uri } }\n");
    d.write("conf.d/a.yaml", "upstreams: { up: 3000 }\nhosts: { a: up }\nversion: 1\n");
    d.write("conf.d/ignored.txt", "{{{");
    const auto path = d.write("proxyd.yaml",
                              "include: conf.d/*.yaml\nhosts: { m: up }\nlog: { error: stderr }\n");
    const LoadResult result = load_file(path);
    EXPECT_THAT(said(result), IsEmpty());
    ASSERT_NE(result.snapshot, nullptr);
    ASSERT_EQ(result.snapshot->hosts.size(), 3U);
    EXPECT_EQ(result.snapshot->hosts[0].name, "m");
    EXPECT_EQ(result.snapshot->hosts[1].name, "a");
    EXPECT_EQ(result.snapshot->hosts[2].name, "b");
    EXPECT_EQ(*result.snapshot->hosts[2].origin.file, d.path("conf.d/b.yaml"));
}

TEST(Files, ANameGivenTwiceNamesBothFiles) {
    const Directory d;
    d.write("conf.d/a.yaml", "hosts:\n  x.com: 1\n");
    d.write("conf.d/b.yaml", "hosts:\n  y.com: { upstream: 1, names: [m.com] }\nworkers: 2\n");
    const auto path =
        d.write("p.yaml", "include: conf.d/*.yaml\nworkers: 1\nhosts:\n  x.com: 1\n  m.com: 2\n");
    const LoadResult result = load_file(path);
    EXPECT_EQ(result.snapshot, nullptr);
    EXPECT_THAT(said(result),
                ElementsAre("2:3 'x.com' is given twice | first given at " + path + ":4:3",
                            "2:33 host 'm.com' is given twice | first given at " + path + ":5:3",
                            "3:1 'workers' is given twice | first given at " + path + ":2:1"));
    EXPECT_EQ(result.diagnostics[0].file, d.path("conf.d/a.yaml"));
    EXPECT_EQ(result.diagnostics[2].file, d.path("conf.d/b.yaml"));
}

TEST(Files, IncludesFollowTheIncludingFile) {
    const Directory d;
    d.write("sub/one.yaml", "include: [two.yaml, \"none*.yaml\"]\n");
    d.write("sub/two.yaml", "hosts: { deep: 3000 }\n");
    const LoadResult result = load_file(d.write("p.yaml", "include: sub/one.yaml\n"));
    ASSERT_NE(result.snapshot, nullptr);
    EXPECT_EQ(result.snapshot->hosts[0].name, "deep");
}

TEST(Files, IncludesThatAreRefused) {
    const Directory d;
    d.write("a.yaml", "include: b.yaml\n");
    d.write("b.yaml", "via: on\ninclude: a.yaml\n");
    EXPECT_THAT(said(load_file(d.path("a.yaml"))),
                ElementsAre(HasSubstr("2:10 include goes round in a circle")));
    EXPECT_THAT(said(load_file(d.write("c.yaml", "include: missing.yaml\n"))),
                ElementsAre(HasSubstr("1:10 cannot read " + d.path("missing.yaml"))));
    EXPECT_THAT(said(load_file(d.write("e.yaml", "include: \"*.yaml\"\n"))),
                testing::Contains(HasSubstr("goes round in a circle")));
    EXPECT_THAT(said(load_file(d.write("f.yaml", "include: { a: b }\n"))),
                ElementsAre(HasSubstr("'include' wants a list, not a map")));
    d.write("bad/x.yaml", "hosts: {\n");
    EXPECT_THAT(said(load_file(d.write("g.yaml", "include: bad/*.yaml\n"))),
                ElementsAre(HasSubstr("not valid YAML")));
}

TEST(Files, AnEmptySectionGivesNoName) {
    const Directory d;
    d.write("conf.d/a.yaml", "hosts: { a: 1 }\nupstreams:\n");
    const LoadResult result =
        load_file(d.write("p.yaml", "include: conf.d/*.yaml\nhosts:\nupstreams: { up: 3000 }\n"));
    EXPECT_THAT(said(result), IsEmpty());
    ASSERT_NE(result.snapshot, nullptr);
    EXPECT_EQ(result.snapshot->hosts.size(), 1U);
    EXPECT_EQ(result.snapshot->upstreams.count("up"), 1U);
}

TEST(Files, APatternThatMatchesNothingIsFine) {
    const Directory d;
    EXPECT_NE(load_file(d.write("p.yaml", "include: conf.d/*.yaml\n")).snapshot, nullptr);
}

TEST(Files, EnvironmentVariables) {
    ::setenv("PROXYD_TEST_PORT", "4000", 1);
    ::setenv("PROXYD_TEST_EMPTY", "", 1);
    ::unsetenv("PROXYD_TEST_UNSET");
    const auto snapshot = must_load(
        "hosts:\n"
        "  a: ${PROXYD_TEST_PORT}\n"
        "  b: \"127.0.0.1:${PROXYD_TEST_UNSET:-5000}\"\n"
        "  \"${PROXYD_TEST_UNSET:-c.com}\": ${PROXYD_TEST_EMPTY:-6000}\n"
        "  d: { return: { body: '${uri} $$ ${request_uri}' } }\n"
        "user: \"x${PROXYD_TEST_EMPTY}\"\n");
    EXPECT_EQ(snapshot->hosts[0].locations[0].action.upstream, "127.0.0.1:4000");
    EXPECT_EQ(snapshot->hosts[1].locations[0].action.upstream, "127.0.0.1:5000");
    EXPECT_EQ(snapshot->hosts[2].name, "c.com");
    EXPECT_EQ(snapshot->hosts[2].locations[0].action.upstream, "127.0.0.1:6000");
    EXPECT_EQ(snapshot->hosts[3].locations[0].action.text.source(), "${uri} $$ ${request_uri}");
    EXPECT_EQ(snapshot->user, "x");
    EXPECT_THAT(errors_of("user: ${PROXYD_TEST_UNSET}\n"),
                ElementsAre("1:7 the environment variable 'PROXYD_TEST_UNSET' is not set | "
                            "${PROXYD_TEST_UNSET:-default} gives a default"));
}

TEST(Files, AnEnvironmentVariableIsTextAndNotYaml) {
    ::setenv("PROXYD_TEST_YAML", "x }\nworkers: 7\nuser: \"y", 1);
    const auto snapshot = must_load("workers: 1\nuser: ${PROXYD_TEST_YAML}\n");
    EXPECT_EQ(snapshot->workers, 1U);
    EXPECT_THAT(snapshot->user, HasSubstr("workers: 7"));
}

TEST(Files, OverridesWin) {
    const auto snapshot =
        must_load("workers: 1\nlog: { error: { level: info, path: syslog } }\nvia: on\n",
                  {"workers: 5", "log: { error: { level: debug } }", "user: www"});
    EXPECT_EQ(snapshot->workers, 5U);
    EXPECT_EQ(snapshot->error_log.level, "debug");
    EXPECT_EQ(snapshot->error_log.path, "syslog");
    EXPECT_EQ(snapshot->user, "www");
    const LoadResult bad = load_text("via: on\n", {"wrokers: 5"});
    ASSERT_EQ(bad.diagnostics.size(), 1U);
    EXPECT_EQ(render(bad.diagnostics[0]),
              "-g:1:1: error: unknown key 'wrokers' at the top level\n"
              "  wrokers: 5\n  ^~~~~~~  did you mean 'workers'?");
    EXPECT_EQ(load_text("via: on\n", {"workers: ["}).snapshot, nullptr);
    EXPECT_EQ(load_text("via: on\n", {"debug"}).snapshot, nullptr);
}

TEST(Files, OverridesWinOverIncludedFilesToo) {
    const Directory d;
    d.write("a.yaml", "workers: 2\n");
    LoadOptions options;
    options.path = d.write("p.yaml", "include: a.yaml\n");
    options.overrides = {"workers: 9"};
    ASSERT_NE(load(options).snapshot, nullptr);
    EXPECT_EQ(load(options).snapshot->workers, 9U);
}

TEST(Files, RelativePathsAreSeenFromTheirFile) {
    const Directory d;
    d.write("conf.d/a.yaml", "pid_file: run/p.pid\nlog: { access: logs/a.log }\n");
    const LoadResult result =
        load_file(d.write("p.yaml", "include: conf.d/*.yaml\ncontrol: c.sock\n"));
    ASSERT_NE(result.snapshot, nullptr);
    EXPECT_EQ(result.snapshot->pid_file, d.path("conf.d/run/p.pid"));
    EXPECT_EQ(result.snapshot->access_log->path, d.path("conf.d/logs/a.log"));
    EXPECT_EQ(result.snapshot->control, d.path("c.sock"));
}

}  // namespace
}  // namespace proxyd::config
