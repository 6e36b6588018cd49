#include "src/worker/compile.hpp"

#include "kernels/registry.hpp"
#include "src/core/artifact_cache.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>

#include <chrono>

namespace fdkbench {
namespace {

constexpr std::size_t kLogBytes = 4096;

/// A key made by another build of the program would publish this build's binary under a wrong name.
void require_own_key(const protocol::CompileRequest& request,
                     const KernelSource& source,
                     KernelCompiler& compiler) {
    const std::string own =
        compile_key(source.digest, request.options, request.arch, compiler.version());
    if (request.compile_key != own) {
        throw Error(ExitCode::kInternal,
                    fmt::format("compile key {} of {} is not this worker's {}: use fdkbench and "
                                "workers of one build",
                                request.compile_key,
                                request.family,
                                own));
    }
}

}  // namespace

std::string trimmed_log(const std::string& log) {
    if (log.size() <= kLogBytes) {
        return log;
    }
    std::size_t begin = log.find("error");
    begin = begin == std::string::npos ? 0 : log.rfind('\n', begin) + 1;
    std::size_t end = begin + kLogBytes;
    if (end < log.size()) {
        const std::size_t line_end = log.rfind('\n', end);
        end = line_end != std::string::npos && line_end > begin ? line_end + 1 : end;
    }
    const std::string kept = log.substr(begin, end - begin);
    return fmt::format("{}({} of {} bytes of the log)", kept, kept.size(), log.size());
}

protocol::CompileReply compile(const protocol::CompileRequest& request, KernelCompiler& compiler) {
    protocol::CompileReply reply;
    const ArtifactCache cache(request.cache_dir);
    if (const auto artifact = cache.find(request.compile_key)) {
        reply.binary_hash = artifact->hash;
        reply.binary = artifact->path.string();
        return reply;
    }
    const KernelSource& source = kernel_source(family_named(request.family));
    require_own_key(request, source, compiler);

    const auto start = std::chrono::steady_clock::now();
    const CompileOutput output =
        compiler.compile(source.source, source.headers, request.options, request.arch);
    const std::chrono::duration<double> duration = std::chrono::steady_clock::now() - start;
    reply.seconds = duration.count();
    if (!output.ok) {
        reply.status = CandidateStatus::kCompile;
        reply.message = trimmed_log(output.log);
        return reply;
    }
    const Artifact artifact = cache.publish(request.compile_key, output.binary);
    reply.binary_hash = artifact.hash;
    reply.binary = artifact.path.string();
    return reply;
}

}  // namespace fdkbench
