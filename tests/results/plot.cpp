#include "tests/results/plot.hpp"

#include "tests/catch.hpp"

#include <cstdlib>

using namespace fdkbench;

namespace {

void require_matplotlib() {
    if (std::system("python3 -c 'import matplotlib' 2>/dev/null") != 0) {
        skip_program("python3 with matplotlib is not installed (pip install matplotlib)");
    }
}

bool is_png(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic(4, ' ');
    file.read(magic.data(), 4);
    return magic == "\x89PNG" && std::filesystem::file_size(path) > 5000;
}

}  // namespace

TEST_CASE("Three plots are drawn from a database") {
    require_matplotlib();
    const TemporaryFolder folder;
    Store store = Store::open(folder / "a.db");
    store.begin_run(fictional_run());
    for (const int m : {1, 4, 16}) {
        for (const int bits : {16, 4}) {
            for (const int warps : {1, 2, 4}) {
                Candidate kernel = candidate(warps, small_problem(m));
                kernel.problem.format = {bits, bits == 16 ? 0 : 64};
                kernel.compile_key += std::to_string(bits);
                const double ratio = 1.0 + 4.0 / bits + 0.1 * warps;
                store.add(
                    kernel, hash_of(kernel), warps == 4 ? single_sample(ratio) : correct(ratio));
            }
        }
    }
    const ScriptRun run = run_plot("--db " + (folder / "a.db").string() + " --out " +
                                   (folder / "plots").string() + " --family lut_mv --param warps");
    INFO(run.output);
    CHECK(run.code == 0);
    for (const char* name : {"speedup.png", "floor.png", "lut_mv-warps.png"}) {
        CHECK(is_png(folder / (std::string("plots/") + name)));
    }
    // A parameter with words for values.
    CHECK(run_plot("--db " + (folder / "a.db").string() + " --out " + folder.path() +
                   " --family lut_mv --param decode")
              .code == 0);
}
