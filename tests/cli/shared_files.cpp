#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

using namespace fdkbench::test;
namespace fs = std::filesystem;

namespace {

std::string sweep_command(const TemporaryFolder& folder, const std::string& db) {
    return fdkbench_command(
        joined(host_sweep(folder.path(db), folder.path("cache"), {"1x64x256", "1x96x256"}),
               {"--json", "--cache-bytes-factor", "0.01", "-j", "1"}));
}

std::string query(const TemporaryFolder& folder, const std::string& db, const std::string& sql) {
    return query_csv(folder.path(db), sql);
}

/// With the hash of each kernel's code, which the compiler repeats.
const std::string kRows =
    "SELECT m, n, k, bits, group_size, type, family, params, status,"
    " binary_hash FROM candidates_flat ORDER BY 1, 2, 3, 4, 5, 6, 7, 8";

std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void overwrite(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files{fs::directory_iterator(folder), fs::directory_iterator()};
    std::sort(files.begin(), files.end());
    return files;
}

void swap_contents(const fs::path& first, const fs::path& second) {
    const std::string kept = content(first);
    overwrite(first, content(second));
    overwrite(second, kept);
}

/// Damages every kernel of a cache in one way or another; returns how many there are.
std::size_t damage(const fs::path& cache) {
    const std::vector<fs::path> objects = files_in(cache / "objects");
    const std::vector<fs::path> keys = files_in(cache / "keys");
    REQUIRE(objects.size() >= 8);
    // Kernels under each other's hash, and each other's hash under a key.
    swap_contents(objects[0], objects[1]);
    for (std::size_t i = 2; i < objects.size(); ++i) {
        std::string bytes = content(objects[i]);
        switch (i % 4) {
            case 0:
                bytes.resize(bytes.size() / 2);
                break;
            case 1:
                bytes[bytes.size() / 2] ^= 1;
                break;
            case 2:
                bytes = "a foreign file\n";
                break;
            default:
                bytes.clear();
        }
        overwrite(objects[i], bytes);
    }
    for (std::size_t i = 0; i + 1 < keys.size(); i += 2) {
        swap_contents(keys[i], keys[i + 1]);
    }
    overwrite(cache / "keys" / "notes.txt", "a foreign file\n");
    fs::create_directory(cache / "objects" / "folder");
    return objects.size();
}

}  // namespace

TEST_CASE("From a damaged cache every kernel is compiled again, and none is mistaken") {
    const TemporaryFolder folder;
    REQUIRE(run_shell(sweep_command(folder, "a.db")).exit_code == 0);
    const std::string rows = query(folder, "a.db", kRows);
    const fs::path cache = folder.path("cache");
    const std::vector<fs::path> before = files_in(cache / "objects");
    std::vector<std::string> contents;
    std::transform(before.begin(), before.end(), std::back_inserter(contents), content);

    damage(cache);
    const ProgramResult again = run_shell(sweep_command(folder, "b.db"));
    INFO(again.err);
    REQUIRE(again.exit_code == 0);
    CHECK(query(folder, "b.db", kRows) == rows);
    for (std::size_t i = 0; i < before.size(); ++i) {
        CHECK((content(before[i]) == contents[i]));
    }
}

TEST_CASE("Two sweeps at once on one database and one cache end with the rows of one") {
    const TemporaryFolder folder;
    const std::string both =
        sweep_command(folder, "a.db") + " >/dev/null & first=$!; " + sweep_command(folder, "a.db") +
        " >/dev/null; second=$?; wait $first; first=$?; exit $((first + second))";
    const ProgramResult result = run_shell(both);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    REQUIRE(run_shell(sweep_command(folder, "b.db")).exit_code == 0);
    CHECK(query(folder, "a.db", kRows) == query(folder, "b.db", kRows));
    CHECK(query(folder, "a.db", "PRAGMA integrity_check") == "integrity_check\nok\n");
    CHECK(query(folder, "a.db", "SELECT count(*) FROM run") == "count(*)\n2\n");
    const std::string incomplete =
        "SELECT count(*) FROM measurement WHERE samples <>"
        " (SELECT count(*) FROM sample WHERE measurement_id = measurement.id)";
    CHECK(query(folder, "a.db", incomplete) == "count(*)\n0\n");
}
