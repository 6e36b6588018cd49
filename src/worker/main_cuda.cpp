#include "src/cuda/cuda_backend.hpp"
#include "src/worker/worker_main.hpp"

int main(int argc, char** argv) {
    return fdkbench::worker_main(argc,
                                 argv,
                                 {.backend = "cuda",
                                  .make_backend = fdkbench::make_cuda_backend,
                                  .make_compiler = fdkbench::make_nvrtc_compiler,
                                  .versions = fdkbench::cuda_versions});
}
