#include "src/cli/options.hpp"
#include "src/core/error.hpp"
#include "tuner/problems.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <thread>

namespace fdkbench {
namespace {

constexpr const char* kDefaultDb = "fdkbench.db";

/// What the user typed for a sweep, before it becomes problems.
struct SweepArguments {
    ProblemAxes axes;
    std::vector<std::string> types;
    std::string time_limit;
    std::string candidate_timeout = "30s";
    std::string compile_timeout = "5m";
};

std::string default_cache_dir() {
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != 0) {
        return std::string(cache) + "/fdkbench";
    }
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != 0) {
        return std::string(home) + "/.cache/fdkbench";
    }
    return ".fdkbench-cache";
}

/// "90", "90s", "10m", "1h".
std::chrono::seconds parse_duration(const std::string& option, const std::string& text) {
    std::size_t used = 0;
    long number = 0;
    try {
        number = std::stol(text, &used);
    } catch (const std::exception&) {
        used = 0;
    }
    const std::string unit = text.substr(used);
    const long scale = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    if (used == 0 || scale == 0 || number <= 0 || number > 1'000'000) {
        throw UsageError(fmt::format("{} '{}' is not a time: write 90s, 10m or 1h", option, text));
    }
    return std::chrono::seconds(number * scale);
}

void add_db(CLI::App& app, std::string& db) {
    db = kDefaultDb;
    app.add_option("--db", db, "Database of measurements")->capture_default_str();
}

void add_sweep_axes(CLI::App& app, SweepArguments& arguments) {
    app.add_option("-m", arguments.axes.m, "Batch sizes (tokens) [1 4 16 64 256]");
    app.add_option("-k", arguments.axes.k, "Reduction sizes [4096]");
    app.add_option("-n", arguments.axes.n, "Output features: numbers, or 'k' for n = k [k]");
    app.add_option("-b,--bits", arguments.axes.bits, "Weight bits: 16, 8, 4, 2 or 1 [16 4 1]");
    app.add_option("-g,--group-size",
                   arguments.axes.group_size,
                   "Weights that share a scale: numbers, or 'k' for one scale a row [64]");
    app.add_option("-t,--type", arguments.types, "Type of activations and scales: bf16, fp16")
        ->default_str("bf16");
    app.add_option(
        "--shape", arguments.axes.shapes, "Single shapes MxNxK, instead of (or beside) -m -n -k");
}

void add_sweep_controls(CLI::App& app, SweepCommandOptions& options, SweepArguments& arguments) {
    app.add_option("--device", options.device, "cuda:0, host, …  [the first GPU, else the CPU]");
    app.add_option("--include", options.include, "Only families whose name matches this regex");
    app.add_option("--exclude", options.exclude, "No families whose name matches this regex");
    app.add_option("--time-limit", arguments.time_limit, "Stop measuring after 90s, 10m, 1h …");
    app.add_option("--candidate-timeout",
                   arguments.candidate_timeout,
                   "A candidate whose check or replay takes longer is killed")
        ->capture_default_str();
    app.add_option("--compile-timeout",
                   arguments.compile_timeout,
                   "A compilation that takes longer is killed")
        ->capture_default_str();
    add_db(app, options.db);
    app.add_option("--cache-dir", options.cache_dir, "Compiled kernels")
        ->default_str("$XDG_CACHE_HOME/fdkbench");
    app.add_option("-j,--jobs", options.jobs, "Compile processes")->capture_default_str();
    app.add_flag("--quick", options.quick, "A small sweep: few cells, few candidates");
    app.add_flag("--dry-run", options.dry_run, "Say what would be done, and do nothing");
    app.add_flag("--force", options.force, "Measure again what the database already has");
    app.add_flag("--json", options.json, "One JSON line per event on standard output");
    app.add_option("--seed", options.policy.seed, "Of the random weights and activations")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    app.add_option("--max-nrmse",
                   options.policy.max_nrmse,
                   "A kernel with a larger normalised error is rejected")
        ->capture_default_str();
    app.add_option("--cache-bytes-factor",
                   options.policy.cache_bytes_factor,
                   "Weights rotate over this many times the device's cache, in bytes")
        ->capture_default_str();
}

void check_policy(const MeasuringPolicy& policy) {
    if (!std::isfinite(policy.max_nrmse) || policy.max_nrmse <= 0) {
        throw UsageError(
            fmt::format("--max-nrmse {} is not possible: give a positive number, for "
                        "example 4e-3",
                        policy.max_nrmse));
    }
    if (!(policy.cache_bytes_factor >= 0 && policy.cache_bytes_factor <= 1000)) {
        throw UsageError(
            fmt::format("--cache-bytes-factor {} is not possible: give 0 to 1000, for example 5",
                        policy.cache_bytes_factor));
    }
}

void finish_sweep(SweepCommandOptions& options, SweepArguments& arguments) {
    check_policy(options.policy);
    if (options.jobs < 1 || options.jobs > 1024) {
        throw UsageError(fmt::format("--jobs {} is not possible: 1 to 1024", options.jobs));
    }
    ProblemAxes& axes = arguments.axes;
    const bool only_shapes =
        !axes.shapes.empty() && axes.m.empty() && axes.k.empty() && axes.n.empty();
    if (!only_shapes) {
        if (axes.m.empty()) {
            axes.m = options.quick ? std::vector<std::int64_t>{1, 16}
                                   : std::vector<std::int64_t>{1, 4, 16, 64, 256};
        }
        if (axes.k.empty()) {
            axes.k = {4096};
        }
        if (axes.n.empty()) {
            axes.n = {"k"};
        }
    }
    if (axes.bits.empty()) {
        axes.bits = {16, 4, 1};
    }
    if (axes.group_size.empty()) {
        axes.group_size = {"64"};
    }
    for (const std::string& type : arguments.types) {
        try {
            axes.types.push_back(element_type_from(type));
        } catch (const std::invalid_argument&) {
            throw UsageError(fmt::format("--type '{}' is not known: bf16 or fp16", type));
        }
    }
    if (axes.types.empty()) {
        axes.types = {ElementType::kBf16};
    }
    options.problems = problems_from(axes);
    if (!arguments.time_limit.empty()) {
        options.time_limit = parse_duration("--time-limit", arguments.time_limit);
    }
    options.timeouts.candidate = parse_duration("--candidate-timeout", arguments.candidate_timeout);
    options.timeouts.compile = parse_duration("--compile-timeout", arguments.compile_timeout);
    if (options.cache_dir.empty()) {
        options.cache_dir = default_cache_dir();
    }
}

/// All subcommands with the structs that CLI11 fills.
class Parser {
  public:
    Parser() : app_("Finds the fastest low-bit matrix kernels of the device in front of you.") {
        app_.name("fdkbench");
        app_.require_subcommand(0, 1);
        app_.add_flag("--version", version_, "Version, commit, compiler, CUDA, NVRTC, driver");
        app_.footer(
            "Examples:\n"
            "  fdkbench devices --measure\n"
            "  fdkbench sweep -b 16 8 4 2 1 -k 8192 6144\n"
            "  fdkbench export-table --format header -o fdkbench_table.hpp\n"
            "  fdkbench query \"SELECT m, bits, family, time_us, ratio FROM best\"");
        add_devices();
        add_sweep();
        add_export();
        add_query();
    }

    CommandOptions parse(int argc, const char* const* argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::CallForHelp&) {
            return HelpOptions{help_text()};
        } catch (const CLI::ParseError& error) {
            throw UsageError(fmt::format("{}. Try: fdkbench {}--help", error.what(), asked()));
        }
        if (version_) {
            return VersionOptions{};
        }
        if (devices_app_->parsed()) {
            return devices_;
        }
        if (export_app_->parsed()) {
            return export_;
        }
        if (query_app_->parsed()) {
            return query_;
        }
        if (sweep_app_->parsed()) {
            finish_sweep(sweep_, sweep_arguments_);
            sweep_.command = fmt::format("{}", fmt::join(argv, argv + argc, " "));
            return sweep_;
        }
        return HelpOptions{app_.help()};
    }

  private:
    CLI::App* subcommand(const std::string& name,
                         const std::string& what,
                         const std::string& examples) {
        CLI::App* sub = app_.add_subcommand(name, what);
        sub->footer("Examples:\n" + examples);
        return sub;
    }

    void add_devices() {
        devices_app_ = subcommand("devices",
                                  "List the devices that can be measured",
                                  "  fdkbench devices\n  fdkbench devices --measure --json");
        devices_app_->add_flag("--measure",
                               devices_.measure,
                               "Measure the ceilings: streaming read, copy, launch, matmul");
        devices_app_->add_flag("--json", devices_.json, "Print JSON");
    }

    void add_sweep() {
        sweep_app_ =
            subcommand("sweep",
                       "Compile, check and time every candidate; keep all of it in a database",
                       "  fdkbench sweep --quick\n"
                       "  fdkbench sweep -b 16 8 4 2 1 -k 8192 6144\n"
                       "  fdkbench sweep --shape 1x14336x4096 16x4096x14336 -b 4 -g 128\n"
                       "  fdkbench sweep -b 4 -m 1 --include lut --dry-run\n"
                       "What the database already has is not measured again.");
        sweep_.jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
        add_sweep_axes(*sweep_app_, sweep_arguments_);
        add_sweep_controls(*sweep_app_, sweep_, sweep_arguments_);
    }

    void add_export() {
        export_app_ = subcommand("export-table",
                                 "Write the best kernel of every cell as a table",
                                 "  fdkbench export-table -o table.json\n"
                                 "  fdkbench export-table --format header -o fdkbench_table.hpp");
        export_.format = "json";
        export_app_->add_option("--format", export_.format, "json, header (C++17) or csv")
            ->capture_default_str()
            ->check(CLI::IsMember({"json", "header", "csv"}));
        export_app_->add_option("-o,--output", export_.output, "File [standard output]");
        export_app_->add_option(
            "--device", export_.device, "Whose table, if the database has several devices");
        export_app_
            ->add_option(
                "--max-nrmse", export_.max_nrmse, "Only kernels with at most this normalised error")
            ->check(CLI::PositiveNumber);
        add_db(*export_app_, export_.db);
    }

    void add_query() {
        query_app_ = subcommand(
            "query",
            "Print the best per cell, or the result of a read-only SQL statement",
            "  fdkbench query\n"
            "  fdkbench query --format csv \"SELECT * FROM candidates_flat WHERE m = 1\"\n"
            "  fdkbench query \"SELECT bits, max(ratio) FROM best GROUP BY bits\"");
        query_app_->add_option("sql",
                               query_.sql,
                               "One statement over the views best and "
                               "candidates_flat, or the tables");
        query_.format = "table";
        query_app_->add_option("--format", query_.format, "table, csv or json")
            ->capture_default_str()
            ->check(CLI::IsMember({"table", "csv", "json"}));
        add_db(*query_app_, query_.db);
    }

    [[nodiscard]] std::string help_text() const {
        for (const CLI::App* sub : {devices_app_, sweep_app_, export_app_, query_app_}) {
            if (sub->parsed()) {
                return sub->help();
            }
        }
        return app_.help();
    }

    /// "sweep " when the failing words followed that subcommand.
    [[nodiscard]] std::string asked() const {
        for (const CLI::App* sub : {devices_app_, sweep_app_, export_app_, query_app_}) {
            if (sub->parsed()) {
                return sub->get_name() + " ";
            }
        }
        return "";
    }

    CLI::App app_;
    CLI::App* devices_app_ = nullptr;
    CLI::App* sweep_app_ = nullptr;
    CLI::App* export_app_ = nullptr;
    CLI::App* query_app_ = nullptr;
    DevicesOptions devices_;
    SweepCommandOptions sweep_;
    SweepArguments sweep_arguments_;
    ExportOptions export_;
    QueryOptions query_;
    bool version_ = false;
};

}  // namespace

CommandOptions parse_command_line(int argc, const char* const* argv) {
    return std::make_unique<Parser>()->parse(argc, argv);
}

}  // namespace fdkbench
