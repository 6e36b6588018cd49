#pragma once

#include "src/cli/options.hpp"
#include "src/core/error.hpp"
#include "src/model/quantise_model.hpp"

namespace fdkbench {

/// Each runs one subcommand: results on stdout, messages on stderr. Throws Error.
ExitCode run_devices(const DevicesOptions& options);
ExitCode run_sweep_command(const SweepCommandOptions& options);
ExitCode run_verify(const VerifyOptions& options);
ExitCode run_noise(const NoiseOptions& options);
ExitCode run_merge(const MergeOptions& options);
ExitCode run_export(const ExportOptions& options);
ExitCode run_explain(const ExplainOptions& options);
ExitCode run_quantise(const QuantiseRequest& request);
ExitCode run_table_check(const TableCheckOptions& options);
ExitCode run_query(const QueryOptions& options);
ExitCode run_version();

}  // namespace fdkbench
