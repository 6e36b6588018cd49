#pragma once

#include "tests/cli/program.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace fdkbench::test {

/// Two sweeps of one small cell: good families alone, then every fault of a backend among them,
/// with short timeouts. Each has its own database.
class FaultSweep {
  public:
    /// `backend`: "host" or "cuda"; `good`: a regular expression for the good families.
    FaultSweep(std::string backend, std::string good);

    /// Both sweeps end with exit code 0.
    void run();

    /// Each check fails the test that calls it.
    void check_every_fault_has_its_status() const;
    void check_good_candidates_are_undisturbed() const;
    void check_workers_started_no_more_often_than_needed() const;
    void check_nothing_is_left_behind() const;

  private:
    [[nodiscard]] std::vector<std::string> arguments(const std::string& db,
                                                     const std::string& include) const;
    [[nodiscard]] nlohmann::json query(const std::string& db, const std::string& sql) const;
    void sweep(const std::string& db, const std::string& include) const;

    TemporaryFolder folder_;
    std::string backend_;
    std::string good_;
};

/// The programs that are shipped know no faulty family.
void check_shipped_programs_have_no_faults(const std::string& device);

}  // namespace fdkbench::test
