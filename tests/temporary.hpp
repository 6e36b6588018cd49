#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>

/// What tests put on disk, gone at the end of the scope.
namespace fdkbench::test {

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "fdkbench-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("no temporary folder can be made");
        }
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder(TemporaryFolder&&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;

    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return path_ / name;
    }
    [[nodiscard]] std::string path(const std::string& name) const {
        return (path_ / name).string();
    }
    [[nodiscard]] std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

class TemporaryFile {
  public:
    explicit TemporaryFile(std::string_view content) {
        std::string name =
            (std::filesystem::temp_directory_path() / "fdkbench-test-XXXXXX").string();
        const int file = ::mkstemp(name.data());
        if (file < 0) {
            throw std::runtime_error("no temporary file can be made");
        }
        path_ = name;
        const bool whole =
            ::write(file, content.data(), content.size()) == static_cast<::ssize_t>(content.size());
        ::close(file);
        if (!whole) {
            throw std::runtime_error("a temporary file cannot be written");
        }
    }
    explicit TemporaryFile(std::span<const std::byte> content)
        : TemporaryFile(
              std::string_view(reinterpret_cast<const char*>(content.data()), content.size())) {}
    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    TemporaryFile(TemporaryFile&&) = delete;
    TemporaryFile& operator=(TemporaryFile&&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// A folder of the test's own in the place of $TMPDIR, which other programs use, too.
class TemporaryPlace {
  public:
    TemporaryPlace() : old_(std::filesystem::temp_directory_path()) {
        ::setenv("TMPDIR", folder_.path().c_str(), 1);
    }
    ~TemporaryPlace() { ::setenv("TMPDIR", old_.c_str(), 1); }
    TemporaryPlace(const TemporaryPlace&) = delete;
    TemporaryPlace& operator=(const TemporaryPlace&) = delete;
    TemporaryPlace(TemporaryPlace&&) = delete;
    TemporaryPlace& operator=(TemporaryPlace&&) = delete;

    [[nodiscard]] std::filesystem::path path() const { return folder_.path(); }

  private:
    std::filesystem::path old_;
    TemporaryFolder folder_;
};

}  // namespace fdkbench::test
