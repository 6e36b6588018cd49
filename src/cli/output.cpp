#include "src/cli/output.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace fdkbench {

void write_output(const std::string& path, const std::string& text) {
    if (path.empty()) {
        const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                             std::fflush(stdout) == 0;
        if (!written) {
            throw EnvironmentError(
                fmt::format("cannot write to standard output: {}", std::strerror(errno)));
        }
        return;
    }
    // Renaming over /dev/null or a pipe would replace it: write into what is not a plain file.
    std::error_code error;
    const auto kind = std::filesystem::status(path, error).type();
    const bool in_place = kind != std::filesystem::file_type::not_found &&
                          kind != std::filesystem::file_type::regular;
    const std::string written = in_place ? path : path + ".part";
    error.clear();
    errno = 0;
    std::ofstream file(written, std::ios::binary);
    file << text;
    file.close();
    if (file && !in_place) {
        std::filesystem::rename(written, path, error);
    }
    if (!file || error) {
        const std::string why = error ? error.message() : std::strerror(errno);
        if (!in_place) {
            std::filesystem::remove(written, error);
        }
        throw EnvironmentError(fmt::format("cannot write {}: {}; choose another file", path, why));
    }
}

void require_folder(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    std::error_code ignored;
    if (!folder.empty() && !std::filesystem::is_directory(folder, ignored)) {
        throw EnvironmentError(fmt::format(
            "cannot write {}: {} is no folder; choose another file", path, folder.string()));
    }
}

}  // namespace fdkbench
