#include "src/model/partial_file.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace fdkbench {

PartialFile::PartialFile(std::filesystem::path path, std::uint64_t bytes)
    : path_(std::move(path)), file_(-1) {
    // Two processes that write the same file do not meet: the pid tells them apart on one machine,
    // and on a shared disk the second is refused.
    const std::filesystem::path temporary = fmt::format("{}.{}.part", path_.string(), ::getpid());
    Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file.get() < 0) {
        fail(errno);
    }
    temporary_ = temporary;
    file_ = std::move(file);
    if (bytes > 0 && ::fallocate(file_.get(), 0, 0, static_cast<off_t>(bytes)) != 0 &&
        (errno == ENOSPC || errno == EFBIG || errno == EDQUOT)) {
        const int error = errno;
        std::filesystem::remove(temporary_);  // the destructor of what was not made does not run
        fail(error);
    }
}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)) {}

PartialFile::~PartialFile() {
    if (!temporary_.empty()) {
        std::error_code ignored;
        std::filesystem::remove(temporary_, ignored);
    }
}

void PartialFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ::ssize_t written =
            ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written >= 0) {
            offset += static_cast<std::uint64_t>(written);
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            fail(errno);
        }
    }
}

void PartialFile::finish() {
    // Renamed before its content is on the disk, a file may be empty after a power cut.
    if (::fsync(file_.get()) != 0 || ::close(file_.release()) != 0) {
        fail(errno);
    }
}

void PartialFile::commit() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
        fail(errno);
    }
    temporary_.clear();
}

void PartialFile::fail(int error) const {
    throw EnvironmentError(fmt::format("cannot write {}: {}; make room, or choose another -o",
                                       path_.string(),
                                       std::generic_category().message(error)));
}

}  // namespace fdkbench
