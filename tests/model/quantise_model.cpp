#include "src/model/quantise_model.hpp"

#include "src/core/error.hpp"
#include "src/core/fragment.hpp"
#include "src/core/half.hpp"
#include "src/core/json.hpp"
#include "src/core/quantise.hpp"
#include "tests/catch.hpp"
#include "tests/safetensors.hpp"
#include "tests/temporary.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <random>

using namespace fdkbench;
namespace fs = std::filesystem;

namespace {

std::vector<float> normal(std::size_t count) {
    std::mt19937 random(7);
    std::normal_distribution<float> distribution(0, 0.05F);
    std::vector<float> values(count);
    for (float& value : values) {
        value = distribution(random);
    }
    return values;
}

TensorText matrix(const std::string& name, const std::string& type, std::size_t n, std::size_t k) {
    const std::vector<float> values = normal(n * k);
    TensorText text =
        type == "F32"
            ? f32_tensor(name, values)
            : bits16_tensor(name, values, type == "F16" ? ElementType::kFp16 : ElementType::kBf16);
    return shaped(std::move(text), fmt::format("[{},{}]", n, k));
}

QuantiseRequest request_for(const fs::path& input, const fs::path& output) {
    QuantiseRequest request;
    request.input = input;
    request.output = output;
    return request;
}

void no_progress(const std::string&, std::uint64_t, std::uint64_t) {}

/// A quantised matrix as its file describes it.
struct Rebuilt {
    Shape shape;
    WeightFormat format;
    ElementType type = ElementType::kBf16;
    QuantisedMatrix matrix;

    Rebuilt(const SafetensorsFile& file, const std::string& name) {
        const Json about = Json::parse(file.metadata().at("fdkbench:" + name));
        shape = {1, about.at("n").get<std::int64_t>(), about.at("k").get<std::int64_t>()};
        format = {about.at("bits").get<int>(), about.at("group_size").get<std::int64_t>()};
        type = element_type_from(about.at("type").get<std::string>());
        const auto data = file.tensor(name + ".weight_data").elements<std::uint8_t>();
        const auto scale = file.tensor(name + ".scale").elements<std::uint16_t>();
        const auto codebook = file.tensor(name + ".codebook").elements<std::uint16_t>();
        matrix = about.at("layout") == "fragment"
                     ? from_fragments({data, scale, codebook}, shape, format, 1)
                     : QuantisedMatrix{data, scale, codebook};
    }
    [[nodiscard]] std::vector<float> values() const {
        std::vector<float> result(static_cast<std::size_t>(shape.n * shape.k));
        dequantise(matrix, shape, format, type, result, 1);
        return result;
    }
};

std::size_t files_in(const std::string& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("A tensor that is quantised in pieces is as if quantised at once") {
    // Three pieces, the last of which ends within a block of 16 rows.
    constexpr std::size_t n = 39;
    constexpr std::size_t k = std::size_t{1} << 18U;
    const test::TemporaryFolder folder;
    write_safetensors(folder / "in", {matrix("w.weight", "BF16", n, k)});
    QuantiseRequest request = request_for(folder / "in", folder / "out");
    request.layout = GENERATE(Layout::kCanonical, Layout::kFragment);
    request.bits = GENERATE(2, 4);
    const QuantiseReport report = quantise_model(request, no_progress);

    const SafetensorsFile input(folder / "in");
    const Shape shape{1, n, k};
    const WeightFormat format{request.bits, 64};
    const auto type = ElementType::kBf16;
    const QuantisedMatrix whole = quantise(input.tensor("w.weight").elements<std::uint16_t>(),
                                           shape,
                                           format,
                                           type,
                                           uniform_codebook(request.bits, type),
                                           1);
    const SafetensorsFile output(folder / "out");
    const auto data = output.tensor("w.weight_data").elements<std::uint8_t>();
    const auto scale = output.tensor("w.scale").elements<std::uint16_t>();
    if (request.layout == Layout::kFragment) {
        const FragmentMatrix fragments = to_fragments(whole, shape, format, 1);
        CHECK((data == fragments.weight_data));
        CHECK((scale == fragments.scale));
    } else {
        CHECK((data == whole.weight_data));
        CHECK((scale == whole.scale));
    }
    std::vector<float> values(n * k);
    dequantise(whole, shape, format, type, values, 1);
    std::vector<float> exact;
    for (const std::uint16_t weight : input.tensor("w.weight").elements<std::uint16_t>()) {
        exact.push_back(from_bits16(weight, type));
    }
    REQUIRE(report.quantised.size() == 1);
    CHECK(accuracy_of(report.quantised[0].sums).nrmse == Approx(compare(values, exact).nrmse));
}

TEST_CASE("Weights can be rebuilt from the output alone, whatever the types and layouts") {
    const test::TemporaryFolder folder;
    const std::string from = GENERATE("BF16", "F16", "F32");
    write_safetensors(folder / "in", {matrix("a.weight", from, 40, 192)}, R"({"format":"pt"})");
    QuantiseRequest request = request_for(folder / "in", folder / "out");
    request.bits = GENERATE(8, 4, 2, 1);
    request.group_size = GENERATE(64, 0);
    request.layout = GENERATE(Layout::kCanonical, Layout::kFragment);
    request.codebook.kind = GENERATE(CodebookSource::Kind::kUniform, CodebookSource::Kind::kKmeans);
    request.type = GENERATE(std::optional<ElementType>(), std::optional(ElementType::kFp16));
    const QuantiseReport report = quantise_model(request, no_progress);

    const SafetensorsFile output(folder / "out");
    CHECK(output.metadata().at("format") == "pt");
    const Rebuilt rebuilt(output, "a");
    const ElementType own = from == "F16" ? ElementType::kFp16 : ElementType::kBf16;
    CHECK(rebuilt.type == request.type.value_or(own));
    CHECK(rebuilt.format == WeightFormat{request.bits, request.group_size == 0 ? 192 : 64});
    const std::vector<float> exact = normal(std::size_t{40} * 192);
    const double nrmse = compare(rebuilt.values(), exact).nrmse;
    CHECK(nrmse < (request.bits == 8 ? 0.012 : request.bits == 4 ? 0.13 : 0.65));
    // 16-bit inputs are what they are compared with; what that changes is small.
    CHECK(accuracy_of(report.quantised.at(0).sums).nrmse == Approx(nrmse).epsilon(0.05));
    CHECK(report.bytes_before == fs::file_size(folder / "in"));
    CHECK(report.bytes_after == fs::file_size(folder / "out"));
}

TEST_CASE("A fitted codebook comes with less error, and a given one as it was given") {
    const test::TemporaryFolder folder;
    write_safetensors(folder / "in", {matrix("a.weight", "F32", 64, 512)});
    QuantiseRequest request = request_for(folder / "in", folder / "out");
    request.bits = 2;
    const auto nrmse = [&] {
        return accuracy_of(quantise_model(request, no_progress).quantised.at(0).sums).nrmse;
    };
    const double uniform = nrmse();
    request.codebook.kind = CodebookSource::Kind::kKmeans;
    CHECK(nrmse() < 0.8 * uniform);
    request.codebook = {CodebookSource::Kind::kGiven, {-1.5, -0.5, 0.5, 1.5}};
    CHECK(nrmse() < 0.85 * uniform);
    CHECK(SafetensorsFile(folder / "out").tensor("a.codebook").elements<std::uint16_t>() ==
          std::vector<std::uint16_t>{0xbfc0, 0xbf00, 0x3f00, 0x3fc0});
}

TEST_CASE("A model can be quantised in several turns") {
    const test::TemporaryFolder folder;
    write_safetensors(folder / "in",
                      {matrix("a.weight", "BF16", 16, 64), matrix("b.weight", "BF16", 8, 64)});
    QuantiseRequest request = request_for(folder / "in", folder / "half");
    request.choice = TensorChoice("^a$", "");
    quantise_model(request, no_progress);
    request = request_for(folder / "half", folder / "out");
    request.bits = 2;
    request.layout = Layout::kFragment;
    const QuantiseReport report = quantise_model(request, no_progress);
    CHECK(report.quantised.size() == 1);
    const SafetensorsFile output(folder / "out");
    CHECK(Rebuilt(output, "a").format.bits == 4);
    CHECK(Rebuilt(output, "b").format.bits == 2);
    CHECK(output.tensors().size() == 6);
}

TEST_CASE("A value that the type cannot hold is refused by its place") {
    const test::TemporaryFolder folder;
    const auto refused = [&](float value, ElementType type) {
        std::vector<float> values(256, 0.5F);
        values[130] = value;
        write_safetensors(folder / "in", {shaped(f32_tensor("a.weight", values), "[4,64]")});
        QuantiseRequest request = request_for(folder / "in", folder / "out");
        request.type = type;
        try {
            quantise_model(request, no_progress);
        } catch (const UsageError& error) {
            CHECK(files_in(folder.path()) == 1);
            return std::string(error.what());
        }
        return std::string("taken");
    };
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK_THAT(refused(infinity, ElementType::kBf16),
               ContainsSubstring("tensor \"a.weight\" has the value inf at [2, 2]"));
    CHECK_THAT(refused(std::nanf(""), ElementType::kFp16), ContainsSubstring("the value nan"));
    CHECK_THAT(refused(-70000, ElementType::kFp16),
               ContainsSubstring("-70000 at [2, 2], which fp16 cannot hold"));
    CHECK(refused(-70000, ElementType::kBf16) == "taken");
}

TEST_CASE("What progress throws ends the work and leaves what there was") {
    const test::TemporaryFolder folder;
    write_safetensors(folder / "in",
                      {matrix("a.weight", "BF16", 16, 64), matrix("b.bias", "BF16", 8, 64)});
    std::ofstream(folder / "out") << "before";
    std::uint64_t last = 0;
    const QuantiseRequest request = request_for(folder / "in", folder / "out");
    CHECK_THROWS_AS(
        quantise_model(request,
                       [&](const std::string&, std::uint64_t done, std::uint64_t total) {
                           CHECK(total == 3072);
                           CHECK(done >= last);
                           last = done;
                           if (done == total) {
                               throw std::runtime_error("enough");
                           }
                       }),
        std::runtime_error);
    CHECK(last == 3072);
    CHECK(files_in(folder.path()) == 2);
    CHECK(fs::file_size(folder / "out") == 6);
}
