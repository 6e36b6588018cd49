#pragma once

#include "src/fdk/fdk.h"

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

}  // namespace fdkbench
