#pragma once

#include "src/cuda/check.hpp"

namespace fdkbench {

/// Makes a device the thread's current one while it lives.
class CurrentDevice {
  public:
    explicit CurrentDevice(int index) : index_(index) {
        check(cudaGetDevice(&before_), "cudaGetDevice");
        if (before_ != index_) {
            check(cudaSetDevice(index_), "cudaSetDevice");
        }
    }
    ~CurrentDevice() {
        if (before_ != index_) {
            static_cast<void>(cudaSetDevice(before_));
        }
    }
    CurrentDevice(const CurrentDevice&) = delete;
    CurrentDevice& operator=(const CurrentDevice&) = delete;
    CurrentDevice(CurrentDevice&&) = delete;
    CurrentDevice& operator=(CurrentDevice&&) = delete;

  private:
    int index_;
    int before_ = 0;
};

}  // namespace fdkbench
