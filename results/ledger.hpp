#pragma once

#include "src/core/device_info.hpp"
#include "src/core/params.hpp"
#include "src/core/problem.hpp"

#include <string>
#include <vector>

namespace fdkbench {

/// A kernel that a device has run and whose output it has confirmed.
struct VerifiedKernel {
    std::string binary_hash;
    std::string family;
    Params params;
    Problem problem;
    double nrmse = 0;  ///< against the reference on dequantised weights
};

/// Where and with what kernels were verified.
struct LedgerHeader {
    DeviceInfo device;
    std::string driver;
    std::string compiler;  ///< KernelCompiler::version(): other versions give other machine code
    std::string commit;
    std::string date;  ///< ISO 8601, UTC
};

/// JSON: the header, and an entry for each binary with the problems that it was verified on.
std::string ledger_text(const LedgerHeader& header, const std::vector<VerifiedKernel>& kernels);

}  // namespace fdkbench
