#pragma once

#include "src/core/error.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

namespace fdkbench {

/// What the command line asks for, checked and ready to be done. Throws Error.
using Command = std::function<ExitCode()>;

/// A subcommand as the parser sees it.
struct Subcommand {
    CLI::App* app = nullptr;
    /// Called once the words are read, with the command line as it was typed: checks them and says
    /// what to do. Throws UsageError.
    std::function<Command(const std::string& typed)> command;
};

/// Each adds one subcommand with its options to the program (the list is in parse.cpp).
Subcommand add_devices(CLI::App& program);
Subcommand add_sweep(CLI::App& program);
Subcommand add_verify(CLI::App& program);
Subcommand add_noise(CLI::App& program);
Subcommand add_merge(CLI::App& program);
Subcommand add_export(CLI::App& program);
Subcommand add_explain(CLI::App& program);
Subcommand add_table_check(CLI::App& program);
Subcommand add_quantise(CLI::App& program);
Subcommand add_query(CLI::App& program);

/// A new subcommand with lines of examples under its help.
CLI::App* new_subcommand(CLI::App& program,
                         const std::string& name,
                         const std::string& what,
                         const std::string& examples);

/// --launcher, for commands that start device workers; launcher_words() takes it apart.
void add_launcher(CLI::App& app, std::string& prefix);

/// --db, which has a default.
void add_db(CLI::App& app, std::string& db);

}  // namespace fdkbench
