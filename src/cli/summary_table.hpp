#pragma once

#include "results/summary.hpp"
#include "src/core/json.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// A line that says how to take times of launches of this mode; "" for plain ones.
std::string launch_note(LaunchMode mode);

/// A line per cell for people, under launch_note(), and a note on cells whose library baseline is
/// slower by more than 3 % when its first heuristic choice is taken.
std::string summary_table(const std::vector<SummaryRow>& rows, LaunchMode mode);

/// {"event": "summary", "launch_mode": "plain", "cells": [...]}.
Json summary_json(const std::vector<SummaryRow>& rows, LaunchMode mode);

}  // namespace fdkbench
