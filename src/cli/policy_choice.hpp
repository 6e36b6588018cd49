#pragma once

#include "results/store.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace fdkbench {

/// --policy, for commands that read winners.
void add_policy_choice(CLI::App& app, std::string& policy);

/// A line for people when winners of `taken` are read because nothing was asked for, and the device
/// has others; "" otherwise.
std::string policy_note(const Store& store,
                        const std::string& device_key,
                        const std::string& taken,
                        const std::string& asked);

}  // namespace fdkbench
