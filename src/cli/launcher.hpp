#pragma once

#include <string>
#include <vector>

namespace fdkbench {

/// The words of a command prefix as a shell reads them: blanks part words; single quotes keep all
/// between them; double quotes keep all but a backslash before ", \, $ or `; elsewhere a backslash
/// keeps the next character. Nothing is expanded. Throws UsageError naming --launcher for a quote
/// that is not closed, or a backslash at the end.
std::vector<std::string> launcher_words(const std::string& prefix);

}  // namespace fdkbench
