#include "src/core/safetensors.hpp"

#include "src/core/input_file.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace fdkbench;

/// Any bytes as a safetensors file, and as one with weights to measure on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto path = fuzz::scratch_folder() / "tensors";
    fuzz::write_file(path, fuzz::text_of(data, size));
    fuzz::refuse_cleanly([&] {
        const SafetensorsFile file(path);
        std::size_t bytes = 0;
        for (const auto& [name, text] : file.metadata()) {
            bytes += name.size() + text.size();
        }
        unsigned sum = 0;
        for (const Tensor& tensor : file.tensors()) {
            fuzz::require(file.tensor(tensor.name).name == tensor.name, "a tensor is found");
            bytes += tensor.bytes.size();
            for (const std::byte byte : tensor.bytes) {
                sum += std::to_integer<unsigned>(byte);
            }
        }
        fuzz::require(bytes <= size && sum <= 255 * size, "tensors lie within their file");
    });
    fuzz::refuse_cleanly([&] {
        const InputFile input(path);
        const auto weights = input.weights(100, ElementType::kBf16);
        fuzz::require(weights.size() == 100 && !input.name().empty(), "there are values");
        if (input.has_activations()) {
            fuzz::require(input.activations(3, ElementType::kFp16).size() == 3, "as many as asked");
        }
    });
    return 0;
}
