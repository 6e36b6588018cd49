#include "results/table_bundle.hpp"

#include "src/core/artifact_cache.hpp"
#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/results/fixture.hpp"

using namespace fdkbench;

namespace {

Bundle::Binary content(unsigned char first) {
    return {std::byte{first}, std::byte{2}, std::byte{3}};
}

/// Three cells; the kernels of the first two are one binary.
struct Fixture {
    Fixture() {
        const ArtifactCache cache(folder / "cache");
        one = cache.publish("one", content(1));
        two = cache.publish("two", content(9));
        store.begin_run(fictional_run());
        for (const std::int64_t m : {1, 2, 4}) {
            store.add(candidate(1, small_problem(m)), (m < 4 ? one : two).hash, correct(2));
        }
        table = read_table(store, "");
    }

    TemporaryFolder folder;
    Artifact one;
    Artifact two;
    Store store = Store::open(folder / "a.db");
    DispatchTable table;
};

std::string refusal(const Fixture& fixture) {
    try {
        bundle_of(fixture.table, fixture.folder / "cache");
    } catch (const EnvironmentError& error) {
        return error.what();
    }
    FAIL("the table was bundled");
    return "";
}

}  // namespace

TEST_CASE("A bundle holds the table and each binary once") {
    const Fixture fixture;
    const Bundle bundle = bundle_of(fixture.table, fixture.folder / "cache");
    CHECK(bundle.table == Json::parse(to_json_text(fixture.table)));
    REQUIRE(bundle.table.at("entries").size() == 3);
    REQUIRE(bundle.binaries.size() == 2);
    CHECK(bundle.binaries.at(fixture.one.hash) == content(1));
    CHECK(bundle.binaries.at(fixture.two.hash) == content(9));
}

TEST_CASE("A kernel that the cache lacks or has damaged is named, with what to do") {
    const Fixture fixture;
    std::filesystem::remove(fixture.one.path);
    const std::string gone = refusal(fixture);
    CHECK_THAT(gone, ContainsSubstring("lacks 1 of the table's 2 kernels"));
    CHECK_THAT(gone, ContainsSubstring("lut_mv for m=1 n=128 k=256 bits=4"));
    CHECK_THAT(gone, ContainsSubstring("--cache-dir") && ContainsSubstring("fdkbench verify"));
    CHECK_THAT(gone, ContainsSubstring((fixture.folder / "cache").string()));

    write_file(fixture.two.path, "damaged");
    CHECK_THAT(refusal(fixture), ContainsSubstring("lacks 2 of the table's 2 kernels"));
    CHECK(bytes_of(fixture.two.path) == "damaged");
}

TEST_CASE("A table without entries is no bundle") {
    CHECK_THROWS_AS(bundle_of(DispatchTable{}, "/absent"), UsageError);
}
