#include "tests/catch.hpp"
#include "tests/cli/library.hpp"

using namespace fdkbench::test;

TEST_CASE("The example can be built for a GPU") {
    const TemporaryFolder folder;
    compiled_example(folder.path("example"), for_gpu());
}
