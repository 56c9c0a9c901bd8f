#include "config/yaml_tree.hpp"

#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(YamlTree, KeepsPlacesAndQuotes) {
    const Source source("a.yaml", "a: 1\nb:\n  - x\n  - 'y'\nc: { d: \"e\" }\n");
    Report report;
    const auto root = parse_yaml(source, report);
    ASSERT_TRUE(root);
    const Node* list = root->find("b");
    ASSERT_NE(list, nullptr);
    ASSERT_TRUE(list->is_list());
    EXPECT_EQ(list->items[1].text, "y");
    EXPECT_TRUE(list->items[1].quoted);
    EXPECT_FALSE(list->items[0].quoted);
    EXPECT_EQ(list->items[1].at.line, 4);
    EXPECT_EQ(list->items[1].at.column, 5);
    EXPECT_EQ(list->items[1].at.length, 3);
    const Node* inner = root->find("c")->find("d");
    EXPECT_EQ(inner->key_at.column, 6);
    EXPECT_EQ(inner->at.column, 9);
}

TEST(YamlTree, AnEmptyFileIsAnEmptyMap) {
    for (const char* text : {" ", "# nothing\n", "---\n", "\n\n", "~"}) {
        EXPECT_NE(load_text(text).snapshot, nullptr) << text;
    }
}

TEST(YamlTree, DuplicateKeysNameBothPlaces) {
    EXPECT_THAT(errors_of("workers: 1\nvia: on\nworkers: 2\n"),
                ElementsAre("3:1 'workers' is given twice | first given at test.yaml:1:1"));
    EXPECT_THAT(errors_of("hosts: { a: 1, b: 2, a: 3 }\n"),
                ElementsAre("1:22 'a' is given twice | first given at test.yaml:1:10"));
}

TEST(YamlTree, MergeKeysAreRefused) {
    EXPECT_THAT(errors_of("x: &x { via: on }\n<<: *x\n"),
                ElementsAre(HasSubstr("2:1 merge keys ('<<') are not used here | levels merge")));
}

TEST(YamlTree, OneDocumentOnly) {
    EXPECT_THAT(errors_of("via: on\n---\nvia: off\n"),
                ElementsAre(HasSubstr("2:1 a second document starts here")));
}

TEST(YamlTree, OpenQuotesAreFound) {
    EXPECT_THAT(errors_of("user: \"x\npid_file: /a\nvia: on\n"),
                ElementsAre("1:7 this quote is never closed"));
    EXPECT_THAT(errors_of("user: 'it''s\n"), ElementsAre("1:7 this quote is never closed"));
    EXPECT_THAT(errors_of("user: &a \"x\n"), ElementsAre("1:10 this quote is never closed"));
    EXPECT_THAT(errors_of("user: \"x\\\"\n"), ElementsAre("1:7 this quote is never closed"));
    EXPECT_NE(load_text("user: 'it''s'\ngroup: \"a\\\"b\"\n").snapshot, nullptr);
}

TEST(YamlTree, OnlyUtf8WithoutControlCharacters) {
    EXPECT_THAT(errors_of("user: \xff\n"), ElementsAre(HasSubstr("1:7 not valid UTF-8")));
    EXPECT_THAT(errors_of("user: \xc0\x80\n"), ElementsAre(HasSubstr("not valid UTF-8")));
    EXPECT_THAT(errors_of("via: on\nuser: \xed\xa0\x80\n"),
                ElementsAre(HasSubstr("2:7 not valid UTF-8")));
    EXPECT_THAT(errors_of("user: \xf4\x90\x80\x80\n"), SizeIs(1));
    EXPECT_THAT(errors_of(std::string("user: a\0b\n", 10)), ElementsAre("1:8 a control character"));
    EXPECT_THAT(errors_of("user: \x1b[1m\n"), ElementsAre("1:7 a control character"));
    EXPECT_NE(load_text("server_header: \"pr\xc3\xbc\x66ung\"\n").snapshot, nullptr);
}

TEST(YamlTree, AliasesAreBounded) {
    EXPECT_THAT(errors_of("hosts: &a [*a]\n"),
                ElementsAre(HasSubstr("1:12 an alias inside its own anchor")));
    std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string n = std::to_string(i), b = "*a" + std::to_string(i - 1);
        bomb += "a" + n + ": &a" + n + " [" + b;
        for (int j = 0; j < 8; ++j) bomb += "," + b;
        bomb += "]\n";
    }
    EXPECT_THAT(errors_of(bomb), ElementsAre(HasSubstr("expand to too much")));
}

TEST(YamlTree, AnchorsShareLines) {
    const auto snapshot = must_load(
        "hosts:\n"
        "  a: { upstream: 3000, timeouts: &t { read: 5s } }\n"
        "  b: { upstream: 3000, timeouts: *t }\n");
    EXPECT_EQ(snapshot->hosts[1].locations[0].policy->timeouts.read, Duration(5'000));
}

TEST(YamlTree, DepthIsBounded) {
    EXPECT_THAT(errors_of("a: " + std::string(5'000, '[') + "\n"), SizeIs(1));
    EXPECT_THAT(errors_of("a: " + std::string(200, '[') + std::string(200, ']') + "\n"),
                ElementsAre(HasSubstr("nested too deeply")));
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
    EXPECT_THAT(errors_of(deep), ElementsAre(HasSubstr("nested too deeply")));
}

TEST(YamlTree, WhatOnlyYamlKnows) {
    EXPECT_THAT(errors_of("user: !!str x\n"), ElementsAre(HasSubstr("YAML tags are not used")));
    EXPECT_THAT(errors_of("? [a, b]\n: c\n"), ElementsAre(HasSubstr("a key must be a text")));
    EXPECT_THAT(errors_of("{ a: 1 }: c\n"), ElementsAre(HasSubstr("a key must be a text")));
    EXPECT_THAT(errors_of("- a\n"), ElementsAre(HasSubstr("a configuration is a map of keys")));
    EXPECT_THAT(errors_of("workers: 017\n"), ElementsAre(HasSubstr("'workers' wants a number")));
}

TEST(YamlTree, UnquotedWildcardsGetAHint) {
    for (const char* text : {"hosts:\n  *.x.com: 3000\n", "hosts: { a: { names: [*.x.com] } }\n",
                             "hosts:\n  a:\n    names:\n      - *.x.com\n"}) {
        EXPECT_THAT(errors_of(text), ElementsAre(HasSubstr("needs quotes: \"*.example.com\"")))
            << text;
    }
}

TEST(YamlTree, TabsAndColonsGetAHint) {
    EXPECT_THAT(errors_of("client:\n\theader_timeout: 5s\n"), ElementsAre(HasSubstr("spaces")));
    EXPECT_THAT(errors_of("user: a: b\n"), ElementsAre(HasSubstr("quote a value")));
}

}  // namespace
}  // namespace proxyd::config
