#include "src/core/mapped_file.hpp"

#include "src/core/descriptor.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace fdkbench {

MappedFile map_file(const std::filesystem::path& path, std::string_view what) {
    const auto fail = [&](const std::string& why) {
        throw UsageError(fmt::format("cannot open the {} {}: {}", what, path.string(), why));
    };
    const auto message = [] { return std::generic_category().message(errno); };
    // Without O_NONBLOCK a pipe would be waited for.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        fail(message());
    }
    if (!S_ISREG(status.st_mode)) {
        fail("it is not a file");
    }
    const auto bytes = static_cast<std::size_t>(status.st_size);
    if (bytes == 0) {
        return {};
    }
    void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) {
        fail(message());
    }
    return {std::shared_ptr<const void>(address, [bytes](void* start) { ::munmap(start, bytes); }),
            {static_cast<const std::byte*>(address), bytes}};
}

void release_mapped(std::span<const std::byte> part) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(part.data());
    const std::uintptr_t first = (begin + page - 1) / page * page;
    const std::uintptr_t last = (begin + part.size()) / page * page;
    if (first < last) {
        ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
    }
}

}  // namespace fdkbench
