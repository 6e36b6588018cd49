#include "tests/kernels/compile.hpp"

#include <regex>

namespace fdkbench::testing {

CompileOutput compile_point(KernelCompiler& compiler,
                            const Family& family,
                            const Problem& problem,
                            const Params& params,
                            const DeviceInfo& device) {
    return compile_source(compiler, kernel_source(family), problem, params, device);
}

CompileOutput compile_source(KernelCompiler& compiler,
                             const KernelSource& source,
                             const Problem& problem,
                             const Params& params,
                             const DeviceInfo& device) {
    std::vector<std::string> options = problem_defines(problem);
    for (std::string& option : defines(params)) {
        options.push_back(std::move(option));
    }
    options.emplace_back("--ptxas-options=-v");
    return compiler.compile(source.source, source.headers, options, device.arch);
}

int local_bytes(const std::string& log) {
    static const std::regex figures(
        R"((\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads)");
    int bytes = -1;
    for (std::sregex_iterator match(log.begin(), log.end(), figures), end; match != end; ++match) {
        bytes = std::max(bytes, 0);
        for (std::size_t i = 1; i <= 3; ++i) {
            bytes += std::stoi((*match)[i]);
        }
    }
    return bytes;
}

}  // namespace fdkbench::testing
