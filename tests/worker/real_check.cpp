#include "tests/worker/real_check.hpp"

#include "src/core/artifact_cache.hpp"
#include "src/worker/session.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"

namespace fdkbench::testing {
namespace {

std::vector<std::string> options_of(const Problem& problem, const Params& params) {
    std::vector<std::string> options = problem_defines(problem);
    for (std::string& option : defines(params)) {
        options.push_back(std::move(option));
    }
    return options;
}

}  // namespace

Problem checked_problem() {
    return {{3, 37, 704}, {4, 64}, ElementType::kBf16};
}

protocol::CheckReply real_check(std::unique_ptr<Backend> backend,
                                KernelCompiler& compiler,
                                const Family& family,
                                const KernelSource& source) {
    const Problem problem = checked_problem();
    const DeviceInfo device = backend->devices().at(0);
    const Params params = first_values(family.axes(problem, device));
    REQUIRE_FALSE(family.skips(problem, params, device));
    const CompileOutput output =
        compiler.compile(source.source, source.headers, options_of(problem, params), device.arch);
    INFO(output.log);
    REQUIRE(output.ok);
    const test::TemporaryFolder folder;
    const Artifact artifact = ArtifactCache(folder.path()).publish("planted", output.binary);

    Session session(std::move(backend));
    MeasuringPolicy policy;
    policy.cache = CachePolicy::kHot;
    session.prepare({.device = 0, .problem = problem, .policy = policy});
    return session.check({.slot = 0,
                          .binary = artifact.path.string(),
                          .plan = family.plan(problem, params, device),
                          .layout = family.layout});
}

}  // namespace fdkbench::testing
