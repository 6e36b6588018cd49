#include "src/worker/worker_main.hpp"

#include "src/core/artifact_cache.hpp"
#include "src/core/error.hpp"
#include "src/protocol/messages.hpp"
#include "src/worker/compile.hpp"
#include "src/worker/device_lost.hpp"
#include "src/worker/session.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <iostream>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace fdkbench {
namespace {

/// What a worker has for the requests that are still in its input when that ends.
constexpr std::chrono::seconds kOrphanGrace{3};

protocol::HelloReply hello(const WorkerParts& parts, KernelCompiler& compiler) {
    protocol::HelloReply reply;
    reply.backend = parts.backend;
    reply.compiler = compiler.version();
    reply.versions = parts.versions();
    return reply;
}

/// Takes standard output for the protocol; returns its stream, which no child process inherits.
std::FILE* take_stdout() {
    const int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
        throw EnvironmentError("standard output and standard error must both be open");
    }
    return fdopen(fd, "w");
}

/// A worker reads its input only between requests, and a kernel or a compiler may never end. So
/// another thread looks whether the coordinator still holds the other end; when it does not, this
/// ends the program and what it started.
void end_with_standard_input() {
    std::thread([] {
        pollfd input{.fd = STDIN_FILENO, .events = 0, .revents = 0};
        while (::poll(&input, 1, -1) <= 0) {
        }
        std::this_thread::sleep_for(kOrphanGrace);
        if (::getpgrp() == ::getpid()) {
            ::kill(0, SIGKILL);
        }
        ::_exit(static_cast<int>(ExitCode::kEnvironment));
    }).detach();
}

void serve_standard_streams(const Server& server, std::FILE* out) {
    server.serve(std::cin, [out](const std::string& line) {
        if (std::fwrite(line.data(), 1, line.size(), out) != line.size() ||
            std::fputc('\n', out) == EOF || std::fflush(out) != 0) {
            throw EnvironmentError("standard output is closed");
        }
    });
}

}  // namespace

Server device_server(const WorkerParts& parts) {
    const std::shared_ptr<KernelCompiler> compiler = parts.make_compiler();
    const auto session = std::make_shared<Session>(parts.make_backend());
    Server server;
    server.add<protocol::HelloRequest>([=](const protocol::HelloRequest&) {
        protocol::HelloReply reply = hello(parts, *compiler);
        reply.devices = session->devices();
        return reply;
    });
    server.add<protocol::CeilingsRequest>(
        [=](const protocol::CeilingsRequest& request) { return session->ceilings(request); });
    server.add<protocol::PrepareRequest>(
        [=](const protocol::PrepareRequest& request) { return session->prepare(request); });
    server.add<protocol::CheckRequest>([=](const protocol::CheckRequest& request) {
        require_intact(request.binary);
        return session->check(request);
    });
    server.add<protocol::BlockRequest>(
        [=](const protocol::BlockRequest& request, const Server::Write& write) {
            return session->block(request, [&](int slot) {
                write(to_line(protocol::event_json(protocol::TimingEvent{slot})));
            });
        });
    server.add<protocol::EnergyRequest>(
        [=](const protocol::EnergyRequest& request) { return session->energy(request); });
    return server;
}

Server compile_server(const WorkerParts& parts) {
    const std::shared_ptr<KernelCompiler> compiler = parts.make_compiler();
    Server server;
    server.add<protocol::HelloRequest>(
        [=](const protocol::HelloRequest&) { return hello(parts, *compiler); });
    server.add<protocol::CompileRequest>(
        [=](const protocol::CompileRequest& request) { return compile(request, *compiler); });
    return server;
}

int worker_main(int argc, char** argv, const WorkerParts& parts) {
    const bool compile_only = argc == 2 && argv[1] == std::string_view("--compile");
    if (argc > 1 && !compile_only) {
        fmt::print(stderr,
                   "{0}: unknown arguments; fdkbench starts it as '{0}' or '{0} --compile'\n",
                   argv[0]);
        return static_cast<int>(ExitCode::kUsage);
    }
    // Ctrl-C reaches the whole process group; what then happens is the coordinator's decision.
    std::signal(SIGINT, SIG_IGN);
    try {
        std::FILE* out = take_stdout();
        end_with_standard_input();
        serve_standard_streams(compile_only ? compile_server(parts) : device_server(parts), out);
        return static_cast<int>(ExitCode::kDone);
    } catch (const Error& error) {
        fmt::print(stderr, "{}: {}\n", argv[0], error.what());
        return static_cast<int>(error.code());
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}: {}\n", argv[0], error.what());
        return static_cast<int>(ExitCode::kInternal);
    }
}

}  // namespace fdkbench
