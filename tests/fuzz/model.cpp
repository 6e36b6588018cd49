#include "src/model/model_files.hpp"
#include "src/model/quantise_model.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace fdkbench;

namespace {

constexpr std::string_view kShard = R"({"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}   )";

/// The file with one tensor "x" that the seeds' index names.
void write_shard(const std::filesystem::path& path) {
    std::string text(8, '\0');
    text[0] = static_cast<char>(kShard.size());
    fuzz::write_file(path, text.append(kShard));
}

/// What is quantised must be a sound file that holds what the report says.
void quantise(const std::filesystem::path& in, int bits, std::int64_t group_size) {
    QuantiseRequest request;
    request.input = in;
    request.output = fuzz::scratch_folder() / "out";
    request.bits = bits;
    request.group_size = group_size;
    request.layout = bits == 4 ? Layout::kFragment : Layout::kCanonical;
    request.codebook.kind =
        bits == 2 ? CodebookSource::Kind::kKmeans : CodebookSource::Kind::kUniform;
    fuzz::refuse_cleanly([&] {
        const QuantiseReport report =
            quantise_model(request, [](const std::string&, std::uint64_t, std::uint64_t) {});
        const SafetensorsFile out(request.output);
        for (const QuantiseReport::Row& row : report.quantised) {
            for (const TensorSpec& part : parts_of(row.tensor)) {
                fuzz::require(out.tensor(part.name).bytes.size() == part.bytes, "parts are there");
            }
        }
    });
}

}  // namespace

/// Any bytes as a model's index, as a codebook, and as a model to be quantised.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::filesystem::path folder = fuzz::scratch_folder();
    fuzz::write_file(folder / "index.json", fuzz::text_of(data, size));
    write_shard(folder / "x.safetensors");
    fuzz::refuse_cleanly([&] { const ModelFiles model(folder / "index.json"); });
    for (const int bits : {1, 2}) {
        fuzz::refuse_cleanly([&] {
            fuzz::require(read_codebook(folder / "index.json", bits).size() == 2U << (bits - 1),
                          "a codebook has 2^bits entries");
        });
    }
    fuzz::write_file(folder / "in", fuzz::text_of(data, size));
    quantise(folder / "in", 8, 1);
    quantise(folder / "in", 4, 0);
    quantise(folder / "in", 2, 4);
    return 0;
}
