#pragma once

#include "results/summary.hpp"
#include "src/core/json.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// A line per cell for people, and a note on cells whose library baseline is slower by more than
/// 3 % when its first heuristic choice is taken.
std::string summary_table(const std::vector<SummaryRow>& rows);

/// {"event": "summary", "cells": [...]}.
Json summary_json(const std::vector<SummaryRow>& rows);

}  // namespace fdkbench
