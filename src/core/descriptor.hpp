#pragma once

#include <unistd.h>
#include <utility>

namespace fdkbench {

/// A file descriptor, closed at the end of its scope unless released. Negative: none.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            close();
            fd_ = other.release();
        }
        return *this;
    }

    [[nodiscard]] int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    void close() {
        if (const int fd = release(); fd >= 0) {
            ::close(fd);
        }
    }

  private:
    int fd_;
};

}  // namespace fdkbench
