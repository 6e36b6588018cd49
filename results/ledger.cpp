#include "results/ledger.hpp"

#include "src/core/json.hpp"

#include <algorithm>
#include <map>

namespace fdkbench {

std::string ledger_text(const LedgerHeader& header, const std::vector<VerifiedKernel>& kernels) {
    std::map<std::string, std::vector<const VerifiedKernel*>> by_binary;
    for (const VerifiedKernel& kernel : kernels) {
        by_binary[kernel.binary_hash].push_back(&kernel);
    }
    Json entries = Json::array();
    for (const auto& [hash, verified] : by_binary) {
        Json problems = Json::array();
        double nrmse = 0;
        for (const VerifiedKernel* kernel : verified) {
            problems.push_back(kernel->problem);
            nrmse = std::max(nrmse, kernel->nrmse);
        }
        entries.push_back({{"binary_hash", hash},
                           {"family", verified[0]->family},
                           {"params", verified[0]->params},
                           {"nrmse", nrmse},
                           {"problems", problems}});
    }
    const Json json{
        {"schema", "fdkbench-ledger"},
        {"schema_version", 1},
        {"device",
         {{"key", header.device.key}, {"name", header.device.name}, {"arch", header.device.arch}}},
        {"driver", header.driver},
        {"compiler", header.compiler},
        {"commit", header.commit},
        {"date", header.date},
        {"kernels", entries}};
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fdkbench
