#include "tests/catch.hpp"
#include "tests/results/plot.hpp"

using namespace fdkbench;

namespace {

void check_error(const std::string& arguments, const std::string& why) {
    const ScriptRun run = run_plot(arguments);
    CHECK(run.code == 2);
    CHECK_THAT(run.output, ContainsSubstring(why) && !ContainsSubstring("Traceback"));
}

}  // namespace

TEST_CASE("A plot of what is not there says what to type") {
    const TemporaryFolder folder;
    const std::string db = "--db " + (folder / "a.db").string();
    check_error(db, "there is no database");
    write_file(folder / "a.db", "hello");
    check_error(db, "is not a database that this script can read");
    std::filesystem::remove(folder / "a.db");

    Store store = Store::open(folder / "a.db");
    check_error(db, "run fdkbench sweep first");
    store.begin_run(fictional_run());
    store.add(candidate(4), "hash", correct(2));
    check_error(db + " --device other", "Fictional 100");
    check_error(db + " --family lut_mv", "belong together");
    check_error(db + " --family none --param x", "it has lut_mv");
    check_error(db + " --family lut_mv --param x", "it has decode, warps");
    check_error(db + " --type fp16", "no correct kernel for fp16");
}
