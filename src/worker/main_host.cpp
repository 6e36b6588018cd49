#include "src/host/host_backend.hpp"
#include "src/worker/worker_main.hpp"

#include <cstdlib>
#include <unistd.h>

namespace {

/// As often as threads of ThreadPool look before they sleep.
constexpr const char* kSpins = "4000";

/// Threads of oneDNN's OpenMP spin for milliseconds by default: on a loaded machine they keep the
/// very thread that they wait for from running, and elsewhere they must be waited for before
/// something else is timed. It reads the variable when it is loaded, before main().
void start_with_short_spins(char** argv) {
    if (std::getenv("GOMP_SPINCOUNT") == nullptr && std::getenv("OMP_WAIT_POLICY") == nullptr) {
        setenv("GOMP_SPINCOUNT", kSpins, 0);
        execv(argv[0], argv);  // where that fails, it goes on as it is
    }
}

}  // namespace

int main(int argc, char** argv) {
    start_with_short_spins(argv);
    return fdkbench::worker_main(argc,
                                 argv,
                                 {.backend = "host",
                                  .make_backend = fdkbench::make_host_backend,
                                  .make_compiler = fdkbench::make_system_compiler,
                                  .versions = fdkbench::host_versions});
}
