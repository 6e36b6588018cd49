#pragma once

#include "tests/results/fixture.hpp"

#include <filesystem>

namespace fdkbench {

/// A database as fdkbench left it when the schema had version 1: see version_1.sql.
inline void make_version_1(const std::filesystem::path& path) {
    run_sql(path, bytes_of("results/schema.sql"));
    run_sql(path, bytes_of("tests/results/version_1.sql"));
}

}  // namespace fdkbench
