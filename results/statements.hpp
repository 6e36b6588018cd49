#pragma once

#include "results/schema.hpp"
#include "results/sqlite.hpp"

namespace fdkbench {

/// The statements of a sweep, prepared once.
struct Statements {
    using Statement = sqlite::Statement;

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
                   " AND group_size = ? AND type = ? AND identity = ? AND launch IN (?, ?)"
                   " AND layout = ? AND status <> 'throttled' LIMIT 1"),
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
                    " ON CONFLICT DO UPDATE SET compile_key = excluded.compile_key,"
                    " layout = excluded.layout RETURNING id"),
          lacks_tiling(connection, "SELECT 1 FROM candidate WHERE identity = ? AND launch = ?"),
          learn_tiling(connection,
                       "UPDATE OR IGNORE candidate SET launch = ?3"
                       " WHERE identity = ?1 AND launch = ?2"),
          // The same code cannot read both layouts: it was measured on weights that it misread.
          forget_misread(connection,
                         "DELETE FROM measurement WHERE candidate_id IN (SELECT id FROM candidate"
                         " WHERE identity = ? AND launch IN (?, ?) AND layout <> ?)"),
          // A kernel that now compiled also replaces its failed compilation.
          forget(connection,
                 "DELETE FROM measurement WHERE cell_id = ? AND candidate_id IN"
                 " (SELECT id FROM candidate WHERE identity IN (?, ?)"
                 " AND launch IN (?, ?))"),
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
          set_decided(
              connection,
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
    Statement lacks_tiling;
    Statement learn_tiling;
    Statement forget_misread;
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

}  // namespace fdkbench
