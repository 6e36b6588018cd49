#include "src/cli/store_sink.hpp"

#include "results/stored_rows.hpp"

namespace fdkbench {

std::optional<std::string> StoreSink::binary_hash(const std::string& compile_key) {
    return store_.binary_hash(compile_key);
}

void StoreSink::remember_binary(const std::string& compile_key, const std::string& hash) {
    store_.remember_binary(compile_key, hash);
}

bool StoreSink::measured(const Candidate& candidate,
                         const std::optional<std::string>& binary_hash) {
    const bool known = store_.measured(candidate, binary_hash);
    if (known && binary_hash && may_write_) {
        store_.learn_tiling(candidate, *binary_hash);
    }
    return known;
}

void StoreSink::record(const Candidate& candidate,
                       const std::optional<std::string>& binary_hash,
                       const Measurement& measurement) {
    store_.add(candidate, binary_hash, measurement);
}

int StoreSink::begin_attempt(const Candidate& candidate, const std::string& binary_hash) {
    return store_.begin_attempt(candidate, binary_hash);
}

void StoreSink::end_attempt(const Candidate& candidate, const std::string& binary_hash) {
    store_.end_attempt(candidate, binary_hash);
}

std::vector<Finalist> StoreSink::unconfirmed(const Problem& problem, int processes) {
    std::vector<Finalist> finalists;
    for (StoredRow& row : unconfirmed_rows(store_, problem, processes)) {
        finalists.push_back({row.family, row.params, row.binary_hash, std::move(row.measurement)});
    }
    return finalists;
}

void StoreSink::decide(const Problem& problem, double margin, int processes) {
    store_.decide(problem, margin, processes);
}

bool StoreSink::decided(const Problem& problem, int processes) {
    return store_.decided(problem, processes);
}

void StoreSink::set_empty_launch(double time_us) {
    store_.set_empty_launch(time_us);
}

}  // namespace fdkbench
