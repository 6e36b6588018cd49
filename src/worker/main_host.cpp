#include "src/host/host_backend.hpp"
#include "src/worker/worker_main.hpp"

int main(int argc, char** argv) {
    return fdkbench::worker_main(argc,
                                 argv,
                                 {.backend = "host",
                                  .make_backend = fdkbench::make_host_backend,
                                  .make_compiler = fdkbench::make_system_compiler,
                                  .versions = fdkbench::host_versions});
}
