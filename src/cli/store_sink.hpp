#pragma once

#include "results/store.hpp"
#include "tuner/sweep.hpp"

namespace fdkbench {

/// The database, as the tuner sees it.
class StoreSink : public MeasurementSink {
  public:
    explicit StoreSink(Store& store) : store_(store) {}
    std::optional<std::string> binary_hash(const std::string& compile_key) override;
    void remember_binary(const std::string& compile_key, const std::string& hash) override;
    bool measured(const Candidate& candidate,
                  const std::optional<std::string>& binary_hash) override;
    void record(const Candidate& candidate,
                const std::optional<std::string>& binary_hash,
                const Measurement& measurement) override;
    int begin_attempt(const Candidate& candidate, const std::string& binary_hash) override;
    void end_attempt(const Candidate& candidate, const std::string& binary_hash) override;
    std::vector<Finalist> unconfirmed(const Problem& problem, int processes) override;
    void decide(const Problem& problem, double margin, int processes) override;
    bool decided(const Problem& problem, int processes) override;
    void set_empty_launch(double time_us) override;

  private:
    Store& store_;
};

}  // namespace fdkbench
