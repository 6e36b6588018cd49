#pragma once

#include "src/fdk/fdk.h"

#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace fdkbench {

/// A fault with the status that the caller of the C functions gets.
class StatusError : public std::runtime_error {
  public:
    StatusError(fdk_status status, const std::string& message)
        : std::runtime_error(message), status_(status) {}
    [[nodiscard]] fdk_status status() const { return status_; }

  private:
    fdk_status status_;
};

/// Where a kernel reads or writes elsewhere, the whole process loses the device. Throws StatusError
/// for null and for what is no multiple of so many bytes.
inline void require_aligned(const char* name, const void* address, std::uintptr_t bytes) {
    if (address == nullptr || reinterpret_cast<std::uintptr_t>(address) % bytes != 0) {
        throw StatusError(
            FDK_INVALID_ARGUMENT,
            fmt::format("{} is at {}: give memory of the device at a multiple of {} bytes",
                        name,
                        address,
                        bytes));
    }
}

}  // namespace fdkbench
