#pragma once

#include "results/store.hpp"
#include "tuner/sweep.hpp"

namespace fdkbench {

/// The database, as the tuner sees it.
class StoreSink : public MeasurementSink {
  public:
    /// `may_write`: what is known is brought up to date with what its candidate says.
    explicit StoreSink(Store& store, bool may_write = true)
        : store_(store), may_write_(may_write) {}
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
    bool may_write_;
};

}  // namespace fdkbench
