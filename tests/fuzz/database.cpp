#include "tests/fuzz/read_all.hpp"

using namespace fdkbench;

/// Any bytes as a database.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto path = fuzz::scratch_folder() / "a.db";
    for (const char* log : {"-wal", "-shm", "-journal"}) {
        std::filesystem::remove(path.string() + log);
    }
    fuzz::write_file(path, fuzz::text_of(data, size));
    fuzz::read_all(path);
    return 0;
}
