#pragma once

#include <string>

namespace fdkbench {

/// Writes `text` to the file, or to standard output when `path` is empty. A file appears whole or
/// not at all. Throws EnvironmentError naming the path.
void write_output(const std::string& path, const std::string& text);

/// For work that takes its time before it writes: throws EnvironmentError when the folder of a file
/// is not there. Nothing for "".
void require_folder(const std::string& path);

}  // namespace fdkbench
