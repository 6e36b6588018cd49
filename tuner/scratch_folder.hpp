#pragma once

#include "src/core/descriptor.hpp"

#include <filesystem>
#include <utility>

namespace fdkbench {

/// A new folder among the system's temporary files, gone with all that is in it at the end of its
/// scope. It is locked for as long as this process or one that it started lives; making one removes
/// those of the same user that nobody holds any more, which killed processes left. Throws
/// EnvironmentError when no folder can be made.
class ScratchFolder {
  public:
    ScratchFolder();
    ~ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return folder_.first; }

  private:
    std::pair<std::filesystem::path, Descriptor> folder_;
};

}  // namespace fdkbench
