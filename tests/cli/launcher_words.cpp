#include "src/cli/launcher.hpp"
#include "src/core/error.hpp"
#include "tests/catch.hpp"

using namespace fdkbench;
using Words = std::vector<std::string>;

TEST_CASE("Blanks part the words of a launcher") {
    CHECK(launcher_words("").empty());
    CHECK(launcher_words(" \t ").empty());
    CHECK(launcher_words("srun -G1") == Words{"srun", "-G1"});
    CHECK(launcher_words("  ssh\t box  ") == Words{"ssh", "box"});
}

TEST_CASE("Quotes keep blanks, and may stand inside a word") {
    CHECK(launcher_words("sh -c 'exec \"$@\"' sh") == Words{"sh", "-c", "exec \"$@\"", "sh"});
    CHECK(launcher_words("env A=\"b c\"d") == Words{"env", "A=b cd"});
    CHECK(launcher_words("a '' \"\" b") == Words{"a", "", "", "b"});
    CHECK(launcher_words("'it'\\''s'") == Words{"it's"});
}

TEST_CASE("A backslash keeps the next character") {
    CHECK(launcher_words("my\\ run a\\\\b \\\"") == Words{"my run", "a\\b", "\""});
    CHECK(launcher_words(R"("a\"b\\c\$d\n")") == Words{R"(a"b\c$d\n)"});
    CHECK(launcher_words(R"('a\b')") == Words{R"(a\b)"});
}

TEST_CASE("Nothing is expanded") {
    CHECK(launcher_words("$HOME ~ *.sh `id` ; |") == Words{"$HOME", "~", "*.sh", "`id`", ";", "|"});
}

TEST_CASE("A launcher that ends in the middle of a quote is refused") {
    for (const std::string text : {"ssh 'box", "ssh \"box", "ssh \"box\\\"", "ssh box\\", "'"}) {
        INFO(text);
        CHECK_THROWS_AS(launcher_words(text), UsageError);
        CHECK_THROWS_WITH(launcher_words(text),
                          ContainsSubstring(text) && ContainsSubstring("--launcher"));
    }
}
