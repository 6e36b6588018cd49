#include "src/cli/commands.hpp"
#include "src/cli/subcommand.hpp"
#include "src/core/error.hpp"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <string_view>

namespace fdkbench {
namespace {

/// What the user typed.
struct QuantiseArguments {
    std::string input;
    std::string output;
    int bits = 4;
    std::string group_size = "64";
    std::string tensors;
    std::string skip{kDefaultSkip};
    std::string codebook = "uniform";
    std::string layout = "canonical";
    std::string type;
};

/// 0 for one group a row.
std::int64_t group_size_from(const std::string& text, int bits) {
    if (text == "k") {
        return 0;
    }
    std::int64_t size = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, size);
    const int granule = 8 / bits;
    if (error != std::errc() || rest != end || size < 1 || size % granule != 0) {
        throw UsageError(
            fmt::format("group size '{}' is not possible at {} bits: choose -g a multiple of {}, "
                        "for example -g 64, or -g k for one scale a row",
                        text,
                        bits,
                        granule));
    }
    return size;
}

CodebookSource codebook_from(const std::string& word, int bits) {
    using Kind = CodebookSource::Kind;
    if (word == "uniform" || word == "kmeans") {
        return {word == "uniform" ? Kind::kUniform : Kind::kKmeans, {}};
    }
    return {Kind::kGiven, read_codebook(word, bits)};
}

QuantiseRequest request_from(const QuantiseArguments& arguments) {
    QuantiseRequest request;
    request.input = arguments.input;
    request.output = arguments.output;
    request.bits = arguments.bits;
    request.group_size = group_size_from(arguments.group_size, arguments.bits);
    request.choice = TensorChoice(arguments.tensors, arguments.skip);
    request.codebook = codebook_from(arguments.codebook, arguments.bits);
    request.layout = layout_from(arguments.layout);
    if (!arguments.type.empty()) {
        request.type = element_type_from(arguments.type);
    }
    return request;
}

constexpr std::string_view kNotes =
    "  fdkbench quantise model.safetensors -o model-4bit.safetensors\n"
    "  fdkbench quantise model.safetensors.index.json -o q2/model.safetensors.index.json -b 2 "
    "--codebook kmeans\n"
    "A tensor NAME.weight [n,k] becomes NAME.weight_data, NAME.scale and NAME.codebook; the "
    "metadata has n, k, bits, group_size, type and layout under fdkbench:NAME. What is not "
    "quantised is copied. Regexes are searched for in the tensors' names, with and without "
    "\".weight\".";

void add_options(CLI::App& app, QuantiseArguments& arguments) {
    app.add_option("input",
                   arguments.input,
                   "A safetensors file, or the index (*.json) of a model in several of them")
        ->required();
    app.add_option("-o,--output",
                   arguments.output,
                   "One safetensors file; or an index (*.json), which gets shards beside it")
        ->required();
    app.add_option("-b,--bits", arguments.bits, "Weight bits: 8, 4, 2 or 1")
        ->capture_default_str()
        ->check(CLI::IsMember({8, 4, 2, 1}));
    app.add_option("-g,--group-size",
                   arguments.group_size,
                   "Weights that share a scale; 'k' for one scale a row. Where it does not divide "
                   "k, tensors are copied")
        ->capture_default_str();
    app.add_option("--tensors", arguments.tensors, "Only tensors that match this regex [all]");
    app.add_option("--skip",
                   arguments.skip,
                   "No tensors that match this regex: output layer and embeddings; '' skips none")
        ->capture_default_str();
    app.add_option("--codebook",
                   arguments.codebook,
                   "uniform: even steps from -1 to 1; kmeans: fitted to each tensor; or a text "
                   "file of 2^bits ascending numbers")
        ->capture_default_str();
    app.add_option("--layout", arguments.layout, "Order of the packed weights: canonical, fragment")
        ->capture_default_str()
        ->check(CLI::IsMember({"canonical", "fragment"}));
    app.add_option("-t,--type",
                   arguments.type,
                   "Type of scales and codebook: bf16, fp16 [fp16 for F16 tensors, else bf16]")
        ->check(CLI::IsMember({"bf16", "fp16"}));
}

}  // namespace

Subcommand add_quantise(CLI::App& program) {
    const auto arguments = std::make_shared<QuantiseArguments>();
    CLI::App* app =
        new_subcommand(program, "quantise", "Quantise the weights of a model", std::string(kNotes));
    add_options(*app, *arguments);
    return {app, [arguments](const std::string&) -> Command {
                return [request = request_from(*arguments)] { return run_quantise(request); };
            }};
}

}  // namespace fdkbench
