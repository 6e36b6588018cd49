#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"
#include "tests/results/script.hpp"

using namespace fdkbench;

namespace {

/// Runs Python statements with the script as module `peers`, and without PyTorch.
ScriptRun run_python(const std::string& statements) {
    return run_script(
        "python3 -B - <<'END'\n"
        "import sys, importlib.machinery, importlib.util\n"
        "sys.modules['torch'] = None\n"
        "loader = importlib.machinery.SourceFileLoader('peers', 'scripts/compare-peers')\n"
        "peers = importlib.util.module_from_spec(importlib.util.spec_from_loader('peers', "
        "loader))\n"
        "loader.exec_module(peers)\n" +
        statements + "\nEND");
}

}  // namespace

TEST_CASE("The comparison with peers says what it does, also without PyTorch") {
    const ScriptRun run = run_python("sys.argv = ['compare-peers', '--help']; peers.run()");
    CHECK(run.code == 0);
    CHECK_THAT(run.output,
               ContainsSubstring("int4pack") && ContainsSubstring("single shapes MxNxK"));
}

TEST_CASE("Without PyTorch the comparison with peers ends in one line") {
    const ScriptRun run = run_python("sys.argv = ['compare-peers']; peers.run()");
    CHECK(run.code == 3);
    CHECK_THAT(run.output, ContainsSubstring("pip install torch triton"));
    CHECK(run.output.find('\n') == run.output.size() - 1);
}

TEST_CASE("Peers are not compared on impossible shapes") {
    for (const char* shape : {"1x64", "1x64x96", "0x64x64", "axbxc"}) {
        const ScriptRun run = run_script(std::string("scripts/compare-peers --shape ") + shape);
        CAPTURE(shape, run.output);
        CHECK(run.code == 2);
        CHECK_THAT(run.output, !ContainsSubstring("Traceback"));
    }
}

TEST_CASE("The table of peers divides the fastest peer's time by ours") {
    const ScriptRun run = run_python(
        "times = {'torch': 15.5, 'int4pack': 8.25, 'triton': 12, 'fdkbench': 5.5}\n"
        "print(peers.table_head())\n"
        "print(peers.table_line((1, 4096, 14336, 4), times))\n"
        "print(peers.table_line((64, 8, 64, 16), {'torch': 10, 'fdkbench': 20}))\n"
        "print(peers.table_line((1, 8, 64, 2), {'triton': 10}))\n"
        "print(peers.table_line((1, 8, 64, 1), {'fdkbench': 10}))");
    CHECK(run.output ==
          "    m      n      k bits    torch_us int4pack_us   triton_us fdkbench_us  speedup\n"
          "    1   4096  14336    4       15.50        8.25       12.00        5.50     1.50\n"
          "   64      8     64   16       10.00           -           -       20.00     0.50\n"
          "    1      8     64    2           -           -       10.00           -        -\n"
          "    1      8     64    1           -           -           -       10.00        -\n");
}

TEST_CASE("Our times are those of the newest run's device and policy") {
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    store.begin_run(fictional_run("Other 200"));
    store.add(candidate(1), "other", correct(8));
    store.begin_run(fictional_run());
    store.add(candidate(2), "slow", correct(2));
    store.add(candidate(4), "fast", correct(4));
    const ScriptRun run = run_python("print(peers.winners('" + (folder / "a.db").string() + "'))");
    CHECK(run.output == "{(1, 128, 256, 4): 5.0}\n");
}
