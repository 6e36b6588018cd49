#include "tests/fuzz/read_all.hpp"

using namespace fdkbench;

/// Any bytes as a database. What opens is also written to, as a sweep does.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto path = fuzz::scratch_folder() / "a.db";
    for (const char* log : {"-wal", "-shm", "-journal"}) {
        std::filesystem::remove(path.string() + log);
    }
    fuzz::write_file(path, fuzz::text_of(data, size));
    fuzz::read_all(path);
    fuzz::refuse_cleanly([&] {
        Store store = Store::open(path);
        store.begin_run(fictional_run());
        store.add(candidate(1), "hash-key1", correct(2));
        store.decide(small_problem(), 0.03);
        store.end_run(1);
    });
    return 0;
}
