#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace fdkbench {

/// Runs statements on a file as another program would.
inline void run_sql(const std::filesystem::path& path, const std::string& sql) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open(path.c_str(), &opened);
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> handle(opened, &sqlite3_close);
    if (code != SQLITE_OK ||
        sqlite3_exec(handle.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(handle.get()));
    }
}

inline std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        throw std::runtime_error("cannot read " + path.string());
    }
    return text.str();
}

/// A database as fdkbench left it when the schema had version 1: see version_1.sql.
inline void make_version_1(const std::filesystem::path& path) {
    run_sql(path, text_of("results/schema.sql"));
    run_sql(path, text_of("tests/results/version_1.sql"));
}

}  // namespace fdkbench
