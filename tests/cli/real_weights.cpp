#include "src/core/safetensors.hpp"
#include "tests/cli/small_sweep.hpp"
#include "tests/safetensors.hpp"

#include <cstdlib>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

/// A voice detector of 1.2 MB that a Python package ships. Fetched once; skips where it cannot be.
std::string model() {
    const char* source = std::getenv("FDKBENCH_SOURCE");
    REQUIRE(source != nullptr);
    const std::string folder = std::string(source) + "/.deps/silero-vad";
    const std::string path = folder + "/silero_vad/data/silero_vad_16k.safetensors";
    if (!std::filesystem::exists(path)) {
        run_shell("python3 -m pip download -q --no-deps -d '" + folder +
                  "' silero-vad==6.2.3 && python3 -m zipfile -e '" + folder + "'/*.whl '" + folder +
                  "'");
    }
    if (!std::filesystem::exists(path)) {
        skip_program("the package silero-vad 6.2.3 cannot be fetched");
    }
    return path;
}

const std::string kTensor = "lstm_cell.weight_ih";  // F32 [512,128]

/// The nrmse that the summary names.
double nrmse_in(const std::string& out) {
    const std::string word = "quantised: nrmse ";
    const auto begin = out.find(word);
    REQUIRE(begin != out.npos);
    return std::stod(out.substr(begin + word.size()));
}

}  // namespace

TEST_CASE("Kernels are right on the weights of a real model") {
    const HostDatabase database;
    require_done(
        run_fdkbench(joined(host_sweep(database.db(), database.path("cache"), {"1x512x128"}),
                            {"--include",
                             "host_lut",
                             "--launcher",
                             one_processor(),
                             "--weights",
                             model() + ":" + kTensor})));
    CHECK(database.value("SELECT count(*) > 0, min(nrmse) < 0.004 FROM measurement"
                         " WHERE status = 'correct'") == "1,1");
}

TEST_CASE("A fitted codebook suits the weights of a real model better than an even one") {
    const TemporaryFolder folder;
    const SafetensorsFile file(model());
    const Tensor& tensor = file.tensor(kTensor);
    write_safetensors(
        folder / "in",
        {{"lstm.weight",
          "F32",
          "[512,128]",
          {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()}}});
    const auto nrmse = [&](const std::string& bits, const std::string& codebook) {
        const ProgramResult result = run_fdkbench({"quantise",
                                                   folder.path("in"),
                                                   "-o",
                                                   folder.path("out"),
                                                   "-b",
                                                   bits,
                                                   "--codebook",
                                                   codebook});
        require_done(result);
        return nrmse_in(result.out);
    };
    for (const std::string bits : {"2", "4"}) {
        CAPTURE(bits);
        const double even = nrmse(bits, "uniform");
        const double fitted = nrmse(bits, "kmeans");
        CAPTURE(even, fitted);
        CHECK(fitted < 0.95 * even);
        CHECK(even < (bits == "2" ? 0.7 : 0.2));
    }
}
