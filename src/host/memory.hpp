#pragma once

#include "src/core/backend.hpp"

#include <cstddef>
#include <cstdint>

namespace fdkbench {

/// Memory of the host as a device buffer: 256-byte aligned, large ones on huge pages where the
/// system gives them.
class HostBuffer : public Buffer {
  public:
    /// Throws EnvironmentError naming the bytes needed and free.
    explicit HostBuffer(std::size_t bytes);
    ~HostBuffer() override;
    HostBuffer(const HostBuffer&) = delete;
    HostBuffer& operator=(const HostBuffer&) = delete;
    HostBuffer(HostBuffer&&) = delete;
    HostBuffer& operator=(HostBuffer&&) = delete;

    [[nodiscard]] void* data() const override { return data_; }
    [[nodiscard]] std::size_t bytes() const override { return bytes_; }

  private:
    void* data_;
    std::size_t bytes_;
};

}  // namespace fdkbench
