#include "kernels/registry.hpp"
#include "src/core/hash.hpp"
#include "src/core/json.hpp"
#include "src/cuda/cuda_backend.hpp"
#include "tests/catch.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

using namespace fdkbench;

namespace {

Json read(const std::string& name) {
    std::ifstream file(std::filesystem::path(FDKBENCH_PUBLISHED) / name);
    return Json::parse(file);
}

/// What the ledger says of each binary.
std::map<std::string, double> ledger_nrmse(const Json& ledger) {
    std::map<std::string, double> nrmse;
    for (const Json& kernel : ledger.at("kernels")) {
        nrmse[kernel.at("binary_hash")] = kernel.at("nrmse");
    }
    return nrmse;
}

/// The machine code that this source tree gives for an entry of the table.
std::string compiled_hash(KernelCompiler& compiler, const Json& entry, const std::string& arch) {
    const Family& family = family_named(entry.at("family").get<std::string>());
    Problem problem;
    problem.shape = {entry.at("m"), entry.at("n"), entry.at("k")};
    problem.format = {entry.at("bits"), entry.at("group_size")};
    problem.type = element_type_from(entry.at("type").get<std::string>());
    std::vector<std::string> options = problem_defines(problem);
    for (const std::string& define : defines(entry.at("params").get<Params>())) {
        options.push_back(define);
    }
    const KernelSource& source = kernel_source(family);
    const CompileOutput output = compiler.compile(source.source, source.headers, options, arch);
    CAPTURE(output.log);
    REQUIRE(output.ok);
    return sha256(output.binary);
}

}  // namespace

TEST_CASE("Every kernel of the published table compiles to machine code that a GPU has confirmed") {
    const Json ledger = read("h100-ledger.json");
    const Json table = read("h100-table.json");
    const auto compiler = make_nvrtc_compiler();
    if (ledger.at("compiler") != compiler->version()) {
        skip_program("the ledger is of " + ledger.at("compiler").get<std::string>() +
                     ", this compiler is " + compiler->version());
    }
    const std::map<std::string, double> nrmse = ledger_nrmse(ledger);
    const std::string arch = table.at("device").at("arch");
    std::map<std::string, std::string> compiled;  // one binary serves every m
    for (const Json& entry : table.at("entries")) {
        CAPTURE(entry.dump());
        Json code = entry;
        for (const char* varies : {"m",
                                   "first_m",
                                   "last_m",
                                   "launch",
                                   "time_us",
                                   "ratio",
                                   "ratio_lo",
                                   "ratio_hi",
                                   "nrmse",
                                   "measured_at"}) {
            code.erase(varies);
        }
        const auto [known, is_new] = compiled.try_emplace(code.dump());
        if (is_new) {
            known->second = compiled_hash(*compiler, entry, arch);
        }
        CHECK(known->second == entry.at("binary_hash"));
        // When this fails, a kernel has changed: measure it, then write the ledger again with
        // 'fdkbench verify --ledger'.
        REQUIRE(nrmse.count(known->second) == 1);
        CHECK(nrmse.at(known->second) <= 4e-3);
    }
    CHECK(table.at("entries").size() >= 50);
}
