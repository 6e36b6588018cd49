#pragma once

#include "src/core/error.hpp"
#include "src/core/json.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// What the fuzzers share. A fuzzer defines LLVMFuzzerTestOneInput and lets escape whatever its
/// subject may not throw.
namespace fdkbench::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the program as a crash unless `holds`.
inline void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "not so: %s\n", what);
        std::abort();
    }
}

/// Runs `work`, which may refuse bad bytes only as the user's or the machine's fault.
template <typename Work>
void refuse_cleanly(Work work) {
    try {
        work();
    } catch (const Error& error) {
        require(error.code() == ExitCode::kUsage || error.code() == ExitCode::kEnvironment,
                error.what());
        require(std::string_view(error.what()).find('\n') == std::string_view::npos,
                "a message is one line");
    }
}

/// Reads a T, as src/core/json.hpp says that readers fail; what can be read can be written, and is
/// then the same.
template <typename T>
void read_as(const Json& json) {
    T value;
    try {
        value = json.get<T>();
    } catch (const Json::exception&) {
        return;
    } catch (const std::invalid_argument&) {
        return;
    }
    const std::string written = to_line(Json(value));
    const std::string again = to_line(Json(Json::parse(written).get<T>()));
    require(again == written, "what is written is read as the same");
}

/// A folder of this process in memory where there is one; removed when the program ends.
inline const std::filesystem::path& scratch_folder() {
    static const struct Folder {
        Folder() {
            const char* parent = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
            std::string name = std::string(parent) + "/fdkbench-fuzz-XXXXXX";
            require(::mkdtemp(name.data()) != nullptr, "a folder for the fuzzer can be made");
            path = name;
        }
        ~Folder() {
            std::error_code ignored;
            std::filesystem::remove_all(path, ignored);
        }
        Folder(const Folder&) = delete;
        Folder& operator=(const Folder&) = delete;
        std::filesystem::path path;
    } folder;
    return folder.path;
}

inline void write_file(const std::filesystem::path& path, std::string_view text) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    require(file != nullptr, "a file for the fuzzer can be opened");
    const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    require(std::fclose(file) == 0 && whole, "a file for the fuzzer can be written");
}

}  // namespace fdkbench::fuzz
