#include "tests/cli/refused.hpp"

#include <fstream>

using namespace fdkbench::test;

namespace {

/// A launcher under which every worker has each of its devices twice.
std::string doubling_launcher(const TemporaryFolder& folder) {
    const std::string script = folder.path("double.py");
    std::ofstream(script) << R"(import json, subprocess, sys
worker = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for line in sys.stdin:
    worker.stdin.write(line)
    worker.stdin.flush()
    reply = json.loads(worker.stdout.readline())
    for device in list(reply.get('devices', [])):
        reply['devices'].append(device | {'id': device['id'] + ':1', 'uuid': 'second'})
    print(json.dumps(reply), flush=True)
)";
    return "python3 " + script;
}

}  // namespace

TEST_CASE("All devices are not joined with others") {
    for (const std::vector<std::string>& names : {std::vector<std::string>{"all", "host"},
                                                  {"host", "all"},
                                                  {"all", "cuda:0"},
                                                  {"all", "all"}}) {
        std::vector<std::string> words{"sweep", "--dry-run", "--device"};
        words.insert(words.end(), names.begin(), names.end());
        check_refused(
            run_fdkbench(words), 2, {"--device " + names[0] + " " + names[1], "'all' alone"});
    }
}

TEST_CASE("An unknown cache policy is refused with those there are") {
    check_refused(run_fdkbench({"sweep", "--cache-policy", "warm"}), 2, {"warm", "cold", "hot"});
    check_refused(run_fdkbench({"sweep", "--cache-policy"}), 2, {"--cache-policy", "sweep --help"});
    check_refused(run_fdkbench({"sweep", "--cache-bytes-factor", "-1"}), 2, {"-1", "up to 1000"});
    check_refused(
        run_fdkbench({"sweep", "--cache-bytes-factor", "0"}), 2, {"type --cache-policy hot"});
}

TEST_CASE("Launches that are not there are refused with those that are") {
    check_refused(run_fdkbench({"sweep", "--launch", "soon"}), 2, {"soon", "plain", "dependent"});
    const TemporaryFolder folder;
    for (const auto& command :
         {std::vector<std::string>{"sweep"}, {"sweep", "--dry-run"}, {"noise"}}) {
        const ProgramResult result = run_fdkbench(joined(command,
                                                         {"--device",
                                                          "host",
                                                          "--launch",
                                                          "dependent",
                                                          "--db",
                                                          folder.path("a.db"),
                                                          "--cache-dir",
                                                          folder.path("cache")}));
        check_refused(result, 2, {"--launch dependent", "host", "type --launch plain"});
    }
    CHECK_FALSE(std::filesystem::exists(folder.path("a.db")));
}

TEST_CASE("Inputs that are not known are refused with those that are") {
    const std::string known = "normal, uniform, zeros or a safetensors file";
    for (const std::string& word : {std::string("gauss"),
                                    std::string(),
                                    std::string("/no/such.safetensors"),
                                    std::string(5000, 'x')}) {
        check_refused(
            run_fdkbench({"sweep", "--inputs", word}), 2, {"--inputs '" + word + "'", known});
    }
}

TEST_CASE("A file that is no use as inputs is refused by name") {
    const TemporaryFolder folder;
    check_refused(run_fdkbench({"sweep", "--inputs", folder.path()}), 2, {folder.path()});
    const std::string path = folder.path("notes.txt");
    std::ofstream(path) << "some words that are no tensors";
    check_refused(run_fdkbench({"sweep", "--inputs", path}), 2, {path, "safetensors"});
    std::ofstream(path) << std::string("\x02\0\0\0\0\0\0\0{}", 10);
    check_refused(run_fdkbench({"sweep", "--inputs", path}), 2, {path, "weight", "--inputs"});
}

TEST_CASE("Impossible margins, confirmations and race times are refused with what is possible") {
    for (const std::string margin : {"-0.01", "1.5", "nan", "inf"}) {
        check_refused(run_fdkbench({"sweep", "--margin", margin}),
                      2,
                      {"--margin " + margin, "0 to 1, for example 0.03"});
    }
    check_refused(run_fdkbench({"sweep", "--margin", "3%"}), 2, {"3%", "sweep --help"});
    for (const std::string count : {"-1", "21", "1000000"}) {
        check_refused(
            run_fdkbench({"sweep", "--confirm", count}), 2, {"--confirm " + count, "0 to 20"});
    }
    check_refused(run_fdkbench({"sweep", "--confirm", "twice"}), 2, {"twice", "sweep --help"});
    for (const std::string time : {"soon", "0", "-5s", "1.5s", "10 m", "99999999999999999999"}) {
        check_refused(
            run_fdkbench({"sweep", "--race-time", time}), 2, {"--race-time '" + time + "'", "10m"});
    }
}

TEST_CASE("Shares of the winners that are none are refused with an example") {
    for (const std::string share : {"0", "0%", "-3", "101%", "many", "5x", "%", "nan", ""}) {
        check_refused(
            run_fdkbench({"verify", "--sample", share}), 2, {"--sample '" + share + "'", "5%"});
    }
}

TEST_CASE("Verifying without a database is refused with what to do") {
    const TemporaryFolder folder;
    const std::string db = folder.path("none.db");
    check_refused(run_fdkbench({"verify", "--device", "host", "--db", db}),
                  2,
                  {db, "run fdkbench sweep first", "--db"});
    CHECK_FALSE(std::filesystem::exists(db));
    check_refused(run_fdkbench({"verify", "-m", "1"}), 2, {"-m", "verify --help"});
}

TEST_CASE("A ledger for a folder that is not there is refused before anything is measured") {
    check_refused(run_fdkbench({"verify", "--ledger", "/not/there/ledger.json"}),
                  3,
                  {"/not/there", "choose another file"});
}

TEST_CASE("Noise is of one cell in a possible number of processes") {
    for (const auto& axis : {std::vector<std::string>{"-m", "2", "4"},
                             {"-k", "128", "256"},
                             {"-n", "2", "4"},
                             {"-b", "2", "4"},
                             {"-g", "32", "64"}}) {
        check_refused(run_fdkbench({"noise", axis[0], axis[1], axis[2]}),
                      2,
                      {"one cell", "2 are named", "give one"});
    }
    for (const std::string count : {"1", "0", "-2", "101"}) {
        check_refused(
            run_fdkbench({"noise", "--processes", count}), 2, {"--processes " + count, "2 to 100"});
    }
    check_refused(run_fdkbench({"noise", "--processes", "many"}), 2, {"many", "noise --help"});
    check_refused(run_fdkbench({"noise", "--confirm", "21"}), 2, {"--confirm 21", "0 to 20"});
    check_refused(run_fdkbench({"noise", "-k", "100"}), 2, {"100", "64"});
}

TEST_CASE("Commands that use one device refuse several") {
    const TemporaryFolder folder;
    const std::string launcher = doubling_launcher(folder);
    for (const std::string command : {"verify", "noise"}) {
        check_refused(run_fdkbench({command,
                                    "--launcher",
                                    launcher,
                                    "--db",
                                    folder.path("a.db"),
                                    "--device",
                                    "host",
                                    "host:1"}),
                      2,
                      {"one device", "2 are named", "--device"});
    }
}

TEST_CASE("All GPUs, where none can be reached, are not the CPU") {
    const TemporaryFolder folder;
    check_refused(
        run_fdkbench(
            {"sweep", "--launcher", "false", "--device", "all", "--db", folder.path("a.db")}),
        3,
        {"no GPU", "--device host"});
}

TEST_CASE("The examples of verify and noise can be typed") {
    CHECK_THAT(run_fdkbench({"verify", "--help"}).out,
               ContainsSubstring("fdkbench verify --sample 5%") &&
                   ContainsSubstring("fdkbench verify --ledger ledger.json") &&
                   ContainsSubstring("exit code 1"));
    CHECK_THAT(run_fdkbench({"noise", "--help"}).out,
               ContainsSubstring("fdkbench noise -m 1 -k 4096 -b 4"));
}

TEST_CASE("Noise takes the policy options of a sweep, and help shows its own defaults") {
    const std::string help = run_fdkbench({"noise", "--help"}).out;
    CHECK_THAT(help,
               ContainsSubstring("(tokens) [1]\n") && ContainsSubstring("2 or 1 [4]\n") &&
                   !ContainsSubstring("[16 4 1]"));
    CHECK_THAT(run_fdkbench({"sweep", "--help"}).out,
               ContainsSubstring("[1 4 16 64 256]") && ContainsSubstring("[16 4 1]"));
    check_refused(run_fdkbench({"noise", "--cache-policy", "warm"}), 2, {"warm", "cold", "hot"});
    check_refused(
        run_fdkbench({"noise", "--cache-bytes-factor", "0"}), 2, {"type --cache-policy hot"});
    check_refused(run_fdkbench({"noise", "--inputs", "gauss"}), 2, {"--inputs 'gauss'"});
    check_refused(run_fdkbench({"noise", "--max-nrmse", "0"}), 2, {"--max-nrmse 0"});
}
