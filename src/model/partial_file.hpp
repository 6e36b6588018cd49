#pragma once

#include "src/core/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace fdkbench {

/// A file that is written under a temporary name beside its own, and takes its own with commit();
/// without that nothing is left of it. Everything throws EnvironmentError naming the file.
class PartialFile {
  public:
    /// Room for `bytes` is asked for at once where the disk can tell.
    PartialFile(std::filesystem::path path, std::uint64_t bytes);
    ~PartialFile();
    PartialFile(const PartialFile&) = delete;
    PartialFile& operator=(const PartialFile&) = delete;
    PartialFile(PartialFile&& other) noexcept;
    PartialFile& operator=(PartialFile&&) = delete;

    void write(std::uint64_t offset, std::span<const std::byte> bytes);
    /// Brings everything to the disk; nothing is written afterwards.
    void finish();
    /// After finish(): replaces what has the file's name.
    void commit();

  private:
    [[noreturn]] void fail(int error) const;

    std::filesystem::path path_;
    std::filesystem::path temporary_;  // empty when there is none (any longer)
    Descriptor file_;
};

}  // namespace fdkbench
