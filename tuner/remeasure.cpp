#include "tuner/remeasure.hpp"

#include "tuner/cell_session.hpp"

namespace fdkbench {

namespace {

/// Takes the one row of a cell.
class OneRow final : public MeasurementSink {
  public:
    explicit OneRow(Remeasured& result) : result_(result) {}
    std::optional<std::string> binary_hash(const std::string& /*compile_key*/) override {
        return std::nullopt;
    }
    void remember_binary(const std::string& /*compile_key*/, const std::string& /*hash*/) override {
    }
    bool measured(const Candidate& /*candidate*/,
                  const std::optional<std::string>& /*binary_hash*/) override {
        return false;
    }
    void record(const Candidate& /*candidate*/,
                const std::optional<std::string>& binary_hash,
                const Measurement& measurement) override {
        result_.binary_hash = binary_hash.value_or("");
        result_.measurement = measurement;
    }
    int begin_attempt(const Candidate& /*candidate*/, const std::string& /*hash*/) override {
        return 0;
    }
    void end_attempt(const Candidate& /*candidate*/, const std::string& /*hash*/) override {}
    std::vector<Finalist> unconfirmed(const Problem& /*problem*/, int /*processes*/) override {
        return {};
    }
    void decide(const Problem& /*problem*/, double /*margin*/, int /*processes*/) override {}
    bool decided(const Problem& /*problem*/, int /*processes*/) override { return false; }
    void set_empty_launch(double /*time_us*/) override {}

  private:
    Remeasured& result_;
};

}  // namespace

std::vector<Remeasured> remeasure(const SweepOptions& options,
                                  WorkerFactory& factory,
                                  const std::vector<Candidate>& candidates,
                                  SweepListener& listener,
                                  const std::atomic<bool>& stop) {
    std::vector<CellPlan> cells(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        cells[i].problem = candidates[i].problem;
        cells[i].candidates = {candidates[i]};
    }
    std::vector<Remeasured> results(candidates.size());
    SweepOutcome outcome;
    DeviceUse use;
    DeviceWorker worker(options, factory, use, listener);
    Remeasured nothing;
    OneRow no_row(nothing);
    CompileFeed compiles(options, factory, no_row, listener);
    for (const CellPlan& cell : cells) {
        compiles.request(cell);
    }
    for (std::size_t i = 0; i < cells.size() && !stop; ++i) {
        OneRow row(results[i]);
        SweepContext context{
            options, row, listener, compiles, worker, outcome, [&stop] { return stop.load(); }};
        try {
            CellSession(context, {.plan = cells[i], .limits = {}}).run();
        } catch (const Interrupted&) {
            break;
        } catch (const CellUnavailable& fault) {
            results[i].left_out = fault.what();
        }
    }
    return results;
}

}  // namespace fdkbench
