#include "results/store.hpp"

#include "results/database.hpp"
#include "results/schema.hpp"
#include "results/sqlite.hpp"
#include "src/core/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <unistd.h>

namespace fdkbench {

namespace {

using sqlite::Statement;

/// The statements of a sweep, prepared once.
struct Statements {
    explicit Statements(const sqlite::Connection& connection)
        : find_device(connection, "SELECT id FROM device WHERE key = ?"),
          device(connection,
                 "INSERT INTO device (key, name, backend, arch, facts) VALUES (?, ?, ?, ?, ?)"
                 " ON CONFLICT (key) DO UPDATE SET facts = excluded.facts RETURNING id"),
          run(connection,
              "INSERT INTO run (device_id, opened_as, uuid, policy, policy_json, compiler, driver,"
              " commit_id, command, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?,"
              " strftime('%Y-%m-%dT%H:%M:%fZ', 'now') || ' ' || ? || ' ' ||"
              " lower(hex(randomblob(4)))) RETURNING id"),
          empty_launch(connection, "UPDATE run SET empty_launch_us = ?2 WHERE id = ?1"),
          end_run(connection,
                  "UPDATE run SET device_s = ?2,"
                  " ended_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = ?1"),
          binary_hash(connection, "SELECT hash FROM binary WHERE compile_key = ?"),
          remember_binary(connection,
                          "INSERT INTO binary (compile_key, hash) VALUES (?, ?)"
                          " ON CONFLICT (compile_key) DO UPDATE SET hash = excluded.hash"),
          // CROSS JOIN keeps the order: each step is one look-up in a unique index.
          measured(connection,
                   "SELECT 1 FROM cell CROSS JOIN candidate CROSS JOIN measurement"
                   " ON cell_id = cell.id AND candidate_id = candidate.id"
                   " WHERE device_id = ? AND policy = ? AND m = ? AND n = ? AND k = ? AND bits = ?"
                   " AND group_size = ? AND type = ? AND identity = ? AND launch = ? LIMIT 1"),
          compile_failed(connection,
                         "SELECT 1 FROM cell CROSS JOIN candidate CROSS JOIN measurement"
                         " ON cell_id = cell.id AND candidate_id = candidate.id"
                         " WHERE device_id = ? AND policy = ? AND m = ? AND n = ? AND k = ?"
                         " AND bits = ? AND group_size = ? AND type = ? AND identity = ?"
                         " AND binary_hash IS NULL AND status = 'compile' LIMIT 1"),
          cell(connection,
               "INSERT INTO cell (device_id, policy, m, n, k, bits, group_size, type)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
               " ON CONFLICT DO UPDATE SET m = excluded.m RETURNING id"),
          candidate(connection,
                    "INSERT INTO candidate (family, params, layout, launch, compile_key,"
                    " binary_hash) VALUES (?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT DO UPDATE SET compile_key = excluded.compile_key RETURNING id"),
          // A kernel that now compiled also replaces its failed compilation.
          forget(connection,
                 "DELETE FROM measurement WHERE cell_id = ? AND candidate_id IN"
                 " (SELECT id FROM candidate WHERE identity IN (?, ?) AND launch = ?)"),
          measurement(connection,
                      "INSERT INTO measurement (cell_id, candidate_id, run_id, status, message,"
                      " time_us, ratio, ratio_lo, ratio_hi, baseline_us, baseline_first_us, gb_s,"
                      " tflop_s, floor_us, floor_pct, rmse, nrmse, rmse_original, nrmse_original,"
                      " repeatable, registers, shared_bytes, local_bytes, samples, processes,"
                      " discarded, power_w, temperature_c, energy_uj)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                      " ?, ?, ?, ?, ?, ?, ?) RETURNING id"),
          sample(connection,
                 "INSERT INTO sample (measurement_id, block, time_us, baseline_before_us,"
                 " baseline_after_us, process, sm_clock_mhz) VALUES (?, ?, ?, ?, ?, ?, ?)"),
          find_cell(connection,
                    "SELECT id FROM cell WHERE device_id = ? AND policy = ? AND m = ? AND n = ?"
                    " AND k = ? AND bits = ? AND group_size = ? AND type = ?"),
          set_decided(connection,
                      "UPDATE cell SET margin = ?2, decided_processes = ?3, decided_at ="
                      " (SELECT max(measured_at) FROM measurement WHERE cell_id = ?1) WHERE id = ?1"),
          decided(connection,
                  "SELECT 1 FROM cell WHERE id = ?1 AND decided_processes >= ?2 AND decided_at ="
                  " (SELECT max(measured_at) FROM measurement WHERE cell_id = ?1)"),
          set_incumbent(connection,
                        "UPDATE cell SET incumbent_id = (SELECT candidate_id FROM (" +
                            tied_sql("cell_id = ?1") + ") WHERE place = 1) WHERE id = ?1"),
          begin_attempt(connection,
                        "INSERT INTO attempt (cell_id, identity, launch, boot_id)"
                        " VALUES (?, ?, ?, ?)"
                        " ON CONFLICT DO UPDATE SET crashes = crashes +"
                        " (boot_id <> excluded.boot_id), boot_id = excluded.boot_id"
                        " RETURNING crashes"),
          end_attempt(connection,
                      "DELETE FROM attempt WHERE cell_id = ? AND identity = ? AND launch = ?") {}

    Statement find_device;
    Statement device;
    Statement run;
    Statement empty_launch;
    Statement end_run;
    Statement binary_hash;
    Statement remember_binary;
    Statement measured;
    Statement compile_failed;
    Statement cell;
    Statement candidate;
    Statement forget;
    Statement measurement;
    Statement sample;
    Statement find_cell;
    Statement set_decided;
    Statement decided;
    Statement set_incumbent;
    Statement begin_attempt;
    Statement end_attempt;
};

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
        prepare_statements();
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
    /// Fails where tables or columns of the schema are missing.
    void prepare_statements() {
        try {
            statements.emplace(connection);
        } catch (const sqlite::SqlError& error) {
            throw UsageError(fmt::format("the database {} is damaged: {}: give another --db",
                                         connection.path().string(),
                                         error.what()));
        }
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
    return binary_hash ? found(statements.measured, *binary_hash, json_text(candidate.plan))
                       : found(statements.compile_failed, candidate.compile_key);
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

}  // namespace

void Store::add(const Candidate& candidate,
                const std::optional<std::string>& binary_hash,
                const Measurement& measurement) {
    Statements& statements = *impl_->statements;
    const std::int64_t run_id = impl_->current_run();
    const std::string launch = json_text(candidate.plan);

    sqlite::Transaction transaction(impl_->connection);
    const std::int64_t cell_id = impl_->cell_id(statements.cell, candidate.problem).value();
    const std::int64_t candidate_id = statements.candidate
                                          .first_integer(candidate.family,
                                                         json_text(candidate.params),
                                                         to_string(candidate.layout),
                                                         launch,
                                                         candidate.compile_key,
                                                         binary_hash)
                                          .value();
    statements.forget.run(
        cell_id, binary_hash.value_or(candidate.compile_key), candidate.compile_key, launch);
    const std::int64_t measurement_id =
        insert_measurement(statements.measurement, cell_id, candidate_id, run_id, measurement);
    std::int64_t block = 0;
    for (const Sample& sample : measurement.samples) {
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
    sqlite::Transaction transaction(impl_->connection);
    const std::int64_t cell_id = impl_->cell_id(impl_->statements->cell, candidate.problem).value();
    const auto crashes = impl_->statements->begin_attempt.first_integer(
        cell_id, binary_hash, json_text(candidate.plan), boot_id());
    transaction.commit();
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
