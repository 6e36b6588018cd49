#include "tuner/scratch_folder.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>

namespace fdkbench {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "fdkbench-scratch-";

fs::path parent_folder() {
    std::error_code no_folder;
    fs::path folder = fs::temp_directory_path(no_folder);
    return no_folder ? "/tmp" : folder;
}

/// The processes that this one starts inherit the descriptor: what is locked is in use by one of
/// them at least.
Descriptor open_folder(const fs::path& path) {
    return Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
}

/// False when another process has the lock. Where there are no locks nobody removes the folder.
bool lock(const Descriptor& folder) {
    return ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

void remove_quietly(const fs::path& path) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
}

void remove_if_abandoned(const fs::path& path) {
    const Descriptor folder = open_folder(path);
    struct stat status {};
    if (folder.get() >= 0 && ::fstat(folder.get(), &status) == 0 && status.st_uid == ::geteuid() &&
        ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0) {
        remove_quietly(path);
    }
}

void remove_abandoned(const fs::path& parent) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
        if (entry.path().filename().string().starts_with(kPrefix)) {
            remove_if_abandoned(entry.path());
        }
    }
}

fs::path make_folder(const fs::path& parent) {
    std::string path = (parent / kPrefix).string() + "XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
        throw EnvironmentError(
            fmt::format("cannot make the folder {}: {}; set TMPDIR to another "
                        "place",
                        path,
                        std::strerror(errno)));
    }
    return path;
}

/// Between its making and its locking another process may take a folder for an abandoned one.
std::pair<fs::path, Descriptor> make_locked_folder(const fs::path& parent) {
    while (true) {
        fs::path path = make_folder(parent);
        Descriptor folder = open_folder(path);
        if (lock(folder) && ::access(path.c_str(), F_OK) == 0) {
            return {std::move(path), std::move(folder)};
        }
    }
}

fs::path tidy_parent_folder() {
    fs::path parent = parent_folder();
    remove_abandoned(parent);
    return parent;
}

}  // namespace

ScratchFolder::ScratchFolder() : folder_(make_locked_folder(tidy_parent_folder())) {}

ScratchFolder::~ScratchFolder() {
    remove_quietly(path());
}

}  // namespace fdkbench
