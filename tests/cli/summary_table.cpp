#include "src/cli/summary_table.hpp"

#include "tests/catch.hpp"

using namespace fdkbench;

TEST_CASE("A table of dependent launches says so above its first line") {
    SummaryRow row;
    row.family = "lut_mv";
    const std::string plain = summary_table({row}, LaunchMode::kPlain);
    const std::string dependent = summary_table({row}, LaunchMode::kDependent);
    CHECK(plain.substr(0, 5) == "    m");
    CHECK(dependent == launch_note(LaunchMode::kDependent) + plain);
    CHECK_THAT(dependent, ContainsSubstring("not of one call") && ContainsSubstring("lut_mv"));

    CHECK(summary_json({row}, LaunchMode::kPlain).at("launch_mode") == "plain");
    CHECK(summary_json({row}, LaunchMode::kDependent).at("launch_mode") == "dependent");
}
