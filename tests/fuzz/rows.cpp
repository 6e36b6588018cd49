#include "tests/fuzz/read_all.hpp"

#include <sqlite3.h>

#include <array>

using namespace fdkbench;

namespace {

struct Column {
    const char* table;
    const char* name;
};
constexpr std::array kColumns{
    Column{"cell", "m"},
    Column{"cell", "bits"},
    Column{"cell", "group_size"},
    Column{"cell", "type"},
    Column{"cell", "policy"},
    Column{"cell", "margin"},
    Column{"cell", "incumbent_id"},
    Column{"cell", "device_id"},
    Column{"candidate", "family"},
    Column{"candidate", "params"},
    Column{"candidate", "launch"},
    Column{"candidate", "layout"},
    Column{"candidate", "binary_hash"},
    Column{"measurement", "status"},
    Column{"measurement", "time_us"},
    Column{"measurement", "ratio"},
    Column{"measurement", "ratio_lo"},
    Column{"measurement", "ratio_hi"},
    Column{"measurement", "baseline_us"},
    Column{"measurement", "gb_s"},
    Column{"measurement", "nrmse"},
    Column{"measurement", "samples"},
    Column{"measurement", "processes"},
    Column{"measurement", "run_id"},
    Column{"measurement", "measured_at"},
    Column{"sample", "time_us"},
    Column{"run", "policy"},
    Column{"run", "device_id"},
    Column{"device", "key"},
    Column{"device", "name"},
};

/// How a value is bound, by the byte that stands before it.
enum class Kind { kText, kReal, kInteger, kNull, kBlob };
constexpr int kKinds = 5;

void bind(sqlite3_stmt* statement, Kind kind, std::string_view text) {
    const std::string word(text);
    const int bytes = static_cast<int>(text.size());
    switch (kind) {
        case Kind::kText:
            sqlite3_bind_text(statement, 1, text.data(), bytes, SQLITE_STATIC);
            break;
        case Kind::kReal:
            sqlite3_bind_double(statement, 1, std::strtod(word.c_str(), nullptr));
            break;
        case Kind::kInteger:
            sqlite3_bind_int64(statement, 1, std::strtoll(word.c_str(), nullptr, 10));
            break;
        case Kind::kNull:
            sqlite3_bind_null(statement, 1);
            break;
        case Kind::kBlob:
            sqlite3_bind_blob(statement, 1, text.data(), bytes, SQLITE_STATIC);
            break;
    }
}

/// Puts a value into one column of all rows of a table; SQLite may refuse it.
void set_column(sqlite3* handle, const Column& column, Kind kind, std::string_view text) {
    const std::string sql =
        std::string("UPDATE OR IGNORE ") + column.table + " SET " + column.name + " = ?";
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr);
    fuzz::require(statement != nullptr, column.name);
    bind(statement, kind, text);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}

}  // namespace

/// A valid database in which some columns hold any values: lines of a column's byte, a kind's byte
/// and the value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::filesystem::path valid = [] {
        fuzz::write_database(fuzz::scratch_folder() / "valid.db");
        return fuzz::scratch_folder() / "valid.db";
    }();
    const auto path = fuzz::scratch_folder() / "a.db";
    std::filesystem::copy_file(valid, path, std::filesystem::copy_options::overwrite_existing);
    sqlite3* handle = nullptr;
    fuzz::require(sqlite3_open(path.c_str(), &handle) == SQLITE_OK, "the valid database opens");
    sqlite3_exec(handle,
                 "PRAGMA ignore_check_constraints = 1; PRAGMA foreign_keys = 0;"
                 " PRAGMA synchronous = OFF",
                 nullptr,
                 nullptr,
                 nullptr);
    std::string_view rest = fuzz::text_of(data, size);
    while (rest.size() >= 2) {
        const auto column = static_cast<unsigned char>(rest[0]) % kColumns.size();
        const auto kind = static_cast<Kind>(static_cast<unsigned char>(rest[1]) % kKinds);
        rest.remove_prefix(2);
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        set_column(handle, kColumns[column], kind, rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    sqlite3_close(handle);
    fuzz::read_all(path);
    return 0;
}
