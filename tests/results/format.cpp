#include "results/format.hpp"

#include "src/core/json.hpp"
#include "tests/catch.hpp"

using namespace fdkbench;

namespace {

QueryResult sample() {
    QueryResult result;
    result.columns = {"family", "params", "time_us", "n"};
    result.rows = {
        {{"lut_mv", false},
         {R"({"warps":4,"decode":"prmt"})", false},
         {"12.345678", true},
         {"4096", true}},
        {{"ünicode", false}, {"two\nlines", false}, {std::nullopt, false}, {"16", true}},
    };
    return result;
}

}  // namespace

TEST_CASE("CSV has a header row and quotes what needs it") {
    CHECK(to_csv(sample()) ==
          "family,params,time_us,n\n"
          "lut_mv,\"{\"\"warps\"\":4,\"\"decode\"\":\"\"prmt\"\"}\",12.345678,4096\n"
          "ünicode,\"two\nlines\",,16\n");
    QueryResult empty;
    empty.columns = {"m", "a,b"};
    CHECK(to_csv(empty) == "m,\"a,b\"\n");
}

TEST_CASE("JSON is an array of objects with bare numbers and null") {
    CHECK(
        to_json_text(sample()) ==
        "[\n"
        "  {\"family\": \"lut_mv\", \"params\": \"{\\\"warps\\\":4,\\\"decode\\\":\\\"prmt\\\"}\", "
        "\"time_us\": 12.345678, \"n\": 4096},\n"
        "  {\"family\": \"ünicode\", \"params\": \"two\\nlines\", \"time_us\": null, \"n\": 16}\n"
        "]\n");
}

TEST_CASE("JSON stays valid for infinities, for words that look like numbers and for bad UTF-8") {
    QueryResult result;
    result.columns = {"a\"b", "word", "bytes", "small"};
    result.rows = {{{"Inf", true}, {"12", false}, {"\xff", false}, {"1.0e-05", true}}};
    const Json json = Json::parse(to_json_text(result));
    CHECK(json[0]["a\"b"].is_null());
    CHECK(json[0]["word"] == "12");
    CHECK(json[0]["bytes"].is_string());
    CHECK(json[0]["small"] == 1e-5);
    CHECK(Json::parse(to_json_text(QueryResult{})).empty());
}

TEST_CASE("A table aligns its columns, numbers to the right") {
    CHECK(to_table(sample()) ==
          "family   params                       time_us     n\n"
          "lut_mv   {\"warps\":4,\"decode\":\"prmt\"}   12.346  4096\n"
          "ünicode  two lines                               16\n");
}

TEST_CASE("A table rounds numbers for people, not integers") {
    QueryResult result;
    result.columns = {"x"};
    for (const char* text :
         {"0.00312345678", "1234567.89", "1.0e-09", "123456789", "-2.0", "Inf"}) {
        result.rows.push_back({{text, true}});
    }
    CHECK(to_table(result) ==
          "        x\n0.0031235\n  1234568\n    1e-09\n123456789\n       -2\n      Inf\n");
}
