#include "src/worker/inputs.hpp"

#include "src/core/error.hpp"
#include "src/core/input_file.hpp"
#include "src/worker/random.hpp"

#include <fmt/format.h>

namespace fdkbench {

Uninitialised<std::uint16_t> input_values(const InputsKey& key,
                                          const InputsWanted& wanted,
                                          int threads) {
    RandomStream stream{.seed = key.seed,
                        .stream = wanted.role == InputRole::kActivations ? 0U : 1U,
                        .scale = wanted.scale};
    if (const auto distribution = distribution_called(key.inputs)) {
        stream.distribution = *distribution;
        return random_values(stream, wanted.count, wanted.type, threads);
    }
    require_known_inputs(key.inputs, key.file);
    const InputFile file(key.file);
    if (file.name() != key.inputs) {
        throw UsageError(
            fmt::format("{} is not the file that the sweep began with: it is {} now, "
                        "it was {}; start the sweep again",
                        key.file,
                        file.name(),
                        key.inputs));
    }
    if (wanted.role == InputRole::kWeights) {
        return file.weights(wanted.count, wanted.type);
    }
    return file.has_activations() ? file.activations(wanted.count, wanted.type)
                                  : random_values(stream, wanted.count, wanted.type, threads);
}

}  // namespace fdkbench
