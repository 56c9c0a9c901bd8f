#include "daemon/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxyd::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ParsedOptions parse(std::vector<const char*> words) {
    words.insert(words.begin(), "proxyd");
    return parse_options(static_cast<int>(words.size()), words.data());
}

TEST(Options, without_words_it_runs_the_default_file) {
    const auto parsed = parse({});
    ASSERT_TRUE(parsed.options);
    EXPECT_EQ(parsed.options->verb, Verb::run);
    EXPECT_EQ(parsed.options->config, "/etc/proxyd/proxyd.yaml");
}

TEST(Options, the_letters_of_nginx) {
    const auto parsed =
        parse({"-t", "-q", "-c", "x.yaml", "-e", "syslog", "-g", "workers: 2", "-g", "via: off"});
    ASSERT_TRUE(parsed.options) << parsed.err;
    EXPECT_EQ(parsed.options->verb, Verb::test);
    EXPECT_TRUE(parsed.options->quiet);
    EXPECT_EQ(parsed.options->config, "x.yaml");
    EXPECT_EQ(parsed.options->error_log, "syslog");
    EXPECT_THAT(parsed.options->overrides, ElementsAre("workers: 2", "via: off"));
    EXPECT_EQ(parse({"-T"}).options->verb, Verb::dump);
    EXPECT_EQ(parse({"-v"}).options->verb, Verb::version);
    EXPECT_EQ(parse({"-V"}).options->verb, Verb::build_info);
    EXPECT_EQ(parse({"-tc", "y.yaml"}).options->config, "y.yaml");
}

TEST(Options, an_override_takes_one_word_so_a_verb_may_follow) {
    const auto parsed = parse({"-g", "workers: 2", "run"});
    ASSERT_TRUE(parsed.options) << parsed.err;
    EXPECT_THAT(parsed.options->overrides, ElementsAre("workers: 2"));
}

TEST(Options, signals_of_s) {
    for (const char* name : {"reload", "quit", "stop", "reopen"}) {
        const auto parsed = parse({"-s", name, "-c", "x.yaml"});
        ASSERT_TRUE(parsed.options);
        EXPECT_EQ(parsed.options->verb, Verb::send_signal);
        EXPECT_EQ(parsed.options->signal, name);
    }
    const auto wrong = parse({"-s", "relaod"});
    EXPECT_EQ(wrong.exit_code, 2);
    EXPECT_THAT(wrong.err, HasSubstr("unknown signal 'relaod' for -s: did you mean 'reload'?"));
}

TEST(Options, c_and_json_stand_before_or_after_the_verb) {
    for (const auto& words : {std::vector<const char*>{"status", "-c", "x.yaml", "--json"},
                              std::vector<const char*>{"-c", "x.yaml", "--json", "status"}}) {
        const auto parsed = parse(words);
        ASSERT_TRUE(parsed.options) << parsed.err;
        EXPECT_EQ(parsed.options->verb, Verb::status);
        EXPECT_EQ(parsed.options->config, "x.yaml");
        EXPECT_TRUE(parsed.options->json);
    }
}

TEST(Options, the_verbs) {
    EXPECT_EQ(parse({"run"}).options->verb, Verb::run);
    const auto demo = parse({"demo", "--once"});
    EXPECT_EQ(demo.options->verb, Verb::demo);
    EXPECT_TRUE(demo.options->once);
    const auto proxy = parse({"reverse-proxy", "--from", ":8080", "--to", "3000"});
    EXPECT_EQ(proxy.options->verb, Verb::reverse_proxy);
    EXPECT_EQ(proxy.options->from, ":8080");
    EXPECT_EQ(proxy.options->to, "3000");
    EXPECT_EQ(parse({"reverse-proxy", "--from", ":8080"}).exit_code, 2);
}

TEST(Options, what_is_not_understood_is_2_with_a_suggestion) {
    const auto verb = parse({"statsu"});
    EXPECT_EQ(verb.exit_code, 2);
    EXPECT_THAT(verb.err, HasSubstr("proxyd: unknown verb 'statsu': did you mean 'status'?"));
    EXPECT_THAT(verb.err, HasSubstr("proxyd -h"));
    const auto option = parse({"status", "--jsn"});
    EXPECT_EQ(option.exit_code, 2);
    EXPECT_THAT(option.err, HasSubstr("unknown option '--jsn': did you mean '--json'?"));
    EXPECT_THAT(parse({"explain"}).err, HasSubstr("'explain' is not built yet"));
    EXPECT_EQ(parse({"-c"}).exit_code, 2);
}

TEST(Options, help_is_a_success_and_names_everything) {
    const auto help = parse({"-h"});
    EXPECT_FALSE(help.options);
    EXPECT_EQ(help.exit_code, 0);
    for (const char* word : {"-t", "-T", "-q", "-c", "-s", "-v", "-V", "-e", "-g", "run", "demo",
                             "reverse-proxy", "status"}) {
        EXPECT_THAT(help.out, HasSubstr(word));
    }
    EXPECT_THAT(parse({"demo", "-h"}).out, HasSubstr("--once"));
}

TEST(Options, upstream_takes_an_order_a_name_and_a_server) {
    const auto parsed = parse({"upstream", "drain", "app", "127.0.0.1:3000", "-c", "x.yaml"});
    ASSERT_TRUE(parsed.options) << parsed.err;
    EXPECT_EQ(parsed.options->verb, Verb::upstream);
    EXPECT_EQ(parsed.options->order, "drain");
    EXPECT_EQ(parsed.options->upstream, "app");
    EXPECT_EQ(parsed.options->server, "127.0.0.1:3000");
    EXPECT_EQ(parsed.options->config, "x.yaml");
    EXPECT_TRUE(parse({"upstream", "list", "--json"}).options->json);
    EXPECT_EQ(parse({"upstream", "down", "status"}).options->upstream, "status")
        << "an upstream may be called as a verb is";
    EXPECT_EQ(parse({"upstream", "down"}).exit_code, 2);
    EXPECT_EQ(parse({"upstream"}).exit_code, 2);
    EXPECT_EQ(parse({"upstream", "up", "a\tb"}).exit_code, 2);
}

}  // namespace
}  // namespace proxyd::daemon
