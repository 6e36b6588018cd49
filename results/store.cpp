#include "results/store.hpp"

#include "results/database.hpp"
#include "results/rows.hpp"
#include "results/schema.hpp"
#include "results/sqlite.hpp"
#include "results/statements.hpp"
#include "src/core/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unistd.h>

namespace fdkbench {

namespace {

using sqlite::Statement;

/// A member of a struct that may be absent.
template <typename Struct, typename Member>
std::optional<Member> part(const std::optional<Struct>& whole, Member Struct::*member) {
    return whole ? std::optional<Member>((*whole).*member) : std::nullopt;
}

/// JSON text as it stands in the database: what equal values have in common.
template <typename Value>
std::string json_text(const Value& value) {
    return Json(value).dump();
}

/// The text of the same launch as it was written before plans had a tiling.
std::string text_without_tiling(LaunchPlan plan) {
    plan.tiling.reset();
    for (LaunchStep& step : plan.steps) {
        step.grid_per_tile = {};
    }
    return json_text(plan);
}

/// Which process used which device, as nobody else calls it at the same time.
std::string process_name(const DeviceInfo& device) {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return fmt::format("{} {}:{}", device.uuid, host.data(), ::getpid());
}

/// Differs from one start of the machine to the next.
std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return id;
}

}  // namespace

struct Store::Impl {
    explicit Impl(sqlite::Connection opened) : connection(std::move(opened)) {
        // Fails where tables or columns of the schema are missing.
        blame_file(connection, [this] { statements.emplace(connection); });
    }

    /// A device and a policy; without an id the device is not in the database yet.
    struct Selection {
        std::optional<std::int64_t> device_id;
        std::string policy;
    };
    /// Binds the selection and the problem to a statement over cells.
    std::optional<std::int64_t> cell_id(Statement& statement, const Problem& problem) const {
        const auto& [shape, format, type] = problem;
        return statement.first_integer(selection.device_id,
                                       selection.policy,
                                       shape.m,
                                       shape.n,
                                       shape.k,
                                       format.bits,
                                       format.group_size,
                                       to_string(type));
    }
    [[nodiscard]] std::int64_t current_run() const {
        if (!run_id) {
            throw std::logic_error("no run has begun");
        }
        return *run_id;
    }

    sqlite::Connection connection;
    std::optional<Statements> statements;
    Selection selection;
    std::optional<std::int64_t> run_id;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

Store Store::open(const std::filesystem::path& path) {
    return Store(std::make_unique<Impl>(open_database(path)));
}

Store Store::open_read_only(const std::filesystem::path& path) {
    return Store(std::make_unique<Impl>(open_database_read_only(path)));
}

Store Store::open_for_planning(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored) ? open_read_only(path) : open(":memory:");
}

void Store::select(const DeviceInfo& device, const MeasuringPolicy& policy) {
    impl_->selection = {impl_->statements->find_device.first_integer(device.key), policy.key()};
}

void Store::begin_run(const RunRecord& record) {
    Statements& statements = *impl_->statements;
    const DeviceInfo& device = record.device;
    const std::string policy = record.policy.key();
    sqlite::Transaction transaction(impl_->connection);
    const std::int64_t device_id =
        statements.device
            .first_integer(device.key, device.name, device.backend, device.arch, json_text(device))
            .value();
    const std::int64_t run_id = statements.run
                                    .first_integer(device_id,
                                                   device.id,
                                                   device.uuid,
                                                   policy,
                                                   json_text(record.policy),
                                                   record.compiler,
                                                   record.driver,
                                                   record.commit,
                                                   record.command,
                                                   process_name(device))
                                    .value();
    transaction.commit();
    impl_->selection = {device_id, policy};
    impl_->run_id = run_id;
}

void Store::set_empty_launch(double time_us) {
    impl_->statements->empty_launch.run(impl_->current_run(), time_us);
}

void Store::end_run(double device_s) {
    impl_->statements->end_run.run(impl_->current_run(), device_s);
    impl_->run_id.reset();
}

std::optional<std::string> Store::binary_hash(const std::string& compile_key) const {
    return impl_->statements->binary_hash.first(compile_key);
}

void Store::remember_binary(const std::string& compile_key, const std::string& hash) {
    impl_->statements->remember_binary.run(compile_key, hash);
}

bool Store::measured(const Candidate& candidate,
                     const std::optional<std::string>& binary_hash) const {
    Statements& statements = *impl_->statements;
    const Impl::Selection& selection = impl_->selection;
    if (!selection.device_id) {
        return false;
    }
    const Problem& problem = candidate.problem;
    const auto found = [&](Statement& statement, const auto&... kernel) {
        return statement
            .first(*selection.device_id,
                   selection.policy,
                   problem.shape.m,
                   problem.shape.n,
                   problem.shape.k,
                   problem.format.bits,
                   problem.format.group_size,
                   to_string(problem.type),
                   kernel...)
            .has_value();
    };
    return binary_hash ? found(statements.measured,
                               *binary_hash,
                               json_text(candidate.plan),
                               text_without_tiling(candidate.plan),
                               to_string(candidate.layout))
                       : found(statements.compile_failed, candidate.compile_key);
}

void Store::learn_tiling(const Candidate& candidate, const std::string& binary_hash) {
    Statements& statements = *impl_->statements;
    const std::string without = text_without_tiling(candidate.plan);
    if (candidate.plan.tiling && statements.lacks_tiling.first(binary_hash, without)) {
        statements.learn_tiling.run(binary_hash, without, json_text(candidate.plan));
    }
}

namespace {

std::int64_t insert_measurement(Statement& statement,
                                std::int64_t cell_id,
                                std::int64_t candidate_id,
                                std::int64_t run_id,
                                const Measurement& measurement) {
    return statement
        .first_integer(cell_id,
                       candidate_id,
                       run_id,
                       to_string(measurement.status),
                       measurement.message,
                       measurement.time_us,
                       measurement.ratio,
                       measurement.ratio_lo,
                       measurement.ratio_hi,
                       measurement.baseline_us,
                       measurement.baseline_first_us,
                       measurement.gb_s,
                       measurement.tflop_s,
                       measurement.floor_us,
                       measurement.floor_pct,
                       part(measurement.accuracy, &Accuracy::rmse),
                       part(measurement.accuracy, &Accuracy::nrmse),
                       part(measurement.accuracy_original, &Accuracy::rmse),
                       part(measurement.accuracy_original, &Accuracy::nrmse),
                       measurement.repeatable,
                       part(measurement.resources, &KernelResources::registers),
                       part(measurement.resources, &KernelResources::shared_bytes),
                       part(measurement.resources, &KernelResources::local_bytes),
                       measurement.samples.size(),
                       processes(measurement.samples),
                       measurement.discarded,
                       measurement.power_w,
                       measurement.temperature_c,
                       measurement.energy_uj)
        .value();
}

/// Whether the database gives the one where the other was stored: it rounds to 15 digits.
bool same_sample(const Sample& a, const Sample& b) {
    const auto same = [](double x, double y) { return std::abs(x - y) <= 1e-12 * std::abs(x); };
    return same(a.time_us, b.time_us) && same(a.baseline_before_us, b.baseline_before_us) &&
           same(a.baseline_after_us, b.baseline_after_us);
}

/// A confirmation has all samples of the kernel's row, as it was read, and those of one more
/// process. Processes that another sweep has added since to that row (`stored`) follow, with
/// numbers of their own; a row that was measured anew since has none of the race's samples.
Measurement joined(Measurement measurement,
                   const std::vector<Sample>& stored,
                   const Problem& problem) {
    std::set<int> known;
    for (const Sample& sample : stored) {
        if (std::ranges::any_of(measurement.samples,
                                [&](const Sample& own) { return same_sample(sample, own); })) {
            known.insert(sample.process);
        }
    }
    if (!known.contains(0)) {
        return measurement;
    }
    const int own_processes = processes(measurement.samples);
    std::map<int, int> numbers;
    for (Sample sample : stored) {
        if (!known.contains(sample.process)) {
            const int next = own_processes + static_cast<int>(numbers.size());
            sample.process = numbers.try_emplace(sample.process, next).first->second;
            measurement.samples.push_back(sample);
        }
    }
    if (!numbers.empty()) {
        summarise(measurement, problem);
    }
    return measurement;
}

}  // namespace

void Store::add(const Candidate& candidate,
                const std::optional<std::string>& binary_hash,
                const Measurement& measurement) {
    Statements& statements = *impl_->statements;
    const std::int64_t run_id = impl_->current_run();
    const std::string launch = json_text(candidate.plan);
    const std::string launch_without_tiling = text_without_tiling(candidate.plan);

    sqlite::Transaction transaction(impl_->connection);
    const std::int64_t cell_id = impl_->cell_id(statements.cell, candidate.problem).value();
    const std::string identity = binary_hash.value_or(candidate.compile_key);
    statements.forget_misread.run(
        identity, launch, launch_without_tiling, to_string(candidate.layout));
    const std::int64_t candidate_id = statements.candidate
                                          .first_integer(candidate.family,
                                                         json_text(candidate.params),
                                                         to_string(candidate.layout),
                                                         launch,
                                                         candidate.compile_key,
                                                         binary_hash)
                                          .value();
    const bool confirms =
        measurement.status == CandidateStatus::kCorrect && processes(measurement.samples) > 1;
    const Measurement added =
        confirms ? joined(measurement,
                          samples_from(
                              Rows(query("SELECT sample.* FROM sample JOIN measurement"
                                         " ON measurement.id = measurement_id"
                                         " WHERE cell_id = CAST(? AS INTEGER)"
                                         " AND candidate_id = CAST(? AS INTEGER) ORDER BY block",
                                         {std::to_string(cell_id), std::to_string(candidate_id)}))),
                          candidate.problem)
                 : measurement;
    statements.forget.run(cell_id, identity, candidate.compile_key, launch, launch_without_tiling);
    const std::int64_t measurement_id =
        insert_measurement(statements.measurement, cell_id, candidate_id, run_id, added);
    std::int64_t block = 0;
    for (const Sample& sample : added.samples) {
        statements.sample.run(measurement_id,
                              block++,
                              sample.time_us,
                              sample.baseline_before_us,
                              sample.baseline_after_us,
                              sample.process,
                              sample.sm_clock_mhz);
    }
    transaction.commit();
}

int Store::begin_attempt(const Candidate& candidate, const std::string& binary_hash) {
    // On the disk, not only with the system, before the kernel may take the machine down.
    impl_->connection.execute("PRAGMA synchronous = FULL");
    sqlite::Transaction transaction(impl_->connection);
    const std::int64_t cell_id = impl_->cell_id(impl_->statements->cell, candidate.problem).value();
    const auto crashes = impl_->statements->begin_attempt.first_integer(
        cell_id, binary_hash, json_text(candidate.plan), boot_id());
    transaction.commit();
    impl_->connection.execute("PRAGMA synchronous = NORMAL");
    return static_cast<int>(crashes.value());
}

void Store::end_attempt(const Candidate& candidate, const std::string& binary_hash) {
    if (const auto cell_id = impl_->cell_id(impl_->statements->find_cell, candidate.problem)) {
        impl_->statements->end_attempt.run(*cell_id, binary_hash, json_text(candidate.plan));
    }
}

std::optional<std::int64_t> Store::cell_id(const Problem& problem) const {
    return impl_->cell_id(impl_->statements->find_cell, problem);
}

void Store::decide(const Problem& problem, double margin, int processes) {
    sqlite::Transaction transaction(impl_->connection);
    if (const auto id = cell_id(problem)) {
        impl_->statements->set_decided.run(*id, margin, processes);
        impl_->statements->set_incumbent.run(*id);
    }
    transaction.commit();
}

bool Store::decided(const Problem& problem, int processes) const {
    const auto id = cell_id(problem);
    return id && impl_->statements->decided.first(*id, processes).has_value();
}

QueryResult Store::query(const std::string& sql, const std::vector<std::string>& bind) const {
    try {
        Statement statement(impl_->connection, sql);
        if (!statement.is_query()) {
            throw sqlite::SqlError("the statement does not just read");
        }
        for (std::size_t i = 0; i < bind.size(); ++i) {
            statement.bind(static_cast<int>(i) + 1, bind[i]);
        }
        QueryResult result;
        for (int column = 0; column < statement.columns(); ++column) {
            result.columns.push_back(statement.column_name(column));
        }
        while (statement.step()) {
            auto& row = result.rows.emplace_back();
            for (int column = 0; column < statement.columns(); ++column) {
                const bool numeric = statement.numeric(column);
                row.push_back({statement.text(column), numeric});
            }
        }
        return result;
    } catch (const sqlite::SqlError& error) {
        std::vector<std::string> names;
        Statement list(impl_->connection,
                       "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
                       " AND name NOT LIKE 'sqlite%' ORDER BY type DESC, name");
        while (list.step()) {
            names.push_back(list.text(0).value());
        }
        throw UsageError(
            fmt::format("cannot run the query: {}; give one SELECT over the tables and views {}",
                        error.what(),
                        fmt::join(names, ", ")));
    }
}

}  // namespace fdkbench
