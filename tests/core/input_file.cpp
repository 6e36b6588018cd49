#include "src/core/input_file.hpp"

#include "src/core/error.hpp"
#include "src/core/half.hpp"
#include "tests/catch.hpp"
#include "tests/safetensors.hpp"
#include "tests/temporary.hpp"

#include <cmath>
#include <limits>

using namespace fdkbench;

namespace {

std::vector<float> floats(const Uninitialised<std::uint16_t>& values, ElementType type) {
    std::vector<float> result;
    for (const std::uint16_t value : values) {
        result.push_back(from_bits16(value, type));
    }
    return result;
}

std::string name_of(const std::vector<TensorText>& tensors) {
    const test::TemporaryFile file(safetensors_text(tensors));
    return InputFile(file.path()).name();
}

void check_refused(const std::vector<TensorText>& tensors, const std::string& why) {
    const test::TemporaryFile file(safetensors_text(tensors));
    CAPTURE(why);
    CHECK_THROWS_AS(InputFile(file.path()), UsageError);
    CHECK_THROWS_WITH(InputFile(file.path()),
                      ContainsSubstring(why) && ContainsSubstring(file.path().string()));
}

const std::vector<float> kValues{0.5F, -1.25F, 3};

}  // namespace

TEST_CASE("Values of a file are taken in order and as often as it takes") {
    const test::TemporaryFile file(
        safetensors_text({f32_tensor("weight", kValues), f32_tensor("x", {1, 2})}));
    const InputFile input(file.path());
    CHECK(input.has_activations());
    for (const ElementType type : {ElementType::kBf16, ElementType::kFp16}) {
        CHECK(floats(input.weights(8, type), type) ==
              std::vector<float>{0.5F, -1.25F, 3, 0.5F, -1.25F, 3, 0.5F, -1.25F});
        CHECK(floats(input.weights(2, type), type) == std::vector<float>{0.5F, -1.25F});
        CHECK(floats(input.activations(5, type), type) == std::vector<float>{1, 2, 1, 2, 1});
        CHECK(input.weights(0, type).empty());
    }
}

TEST_CASE("Values may be BF16, F16 or F32, and a single one") {
    const ElementType wanted = GENERATE(ElementType::kBf16, ElementType::kFp16);
    const test::TemporaryFile bf16(
        safetensors_text({bits16_tensor("weight", kValues, ElementType::kBf16)}));
    CHECK(floats(InputFile(bf16.path()).weights(4, wanted), wanted) ==
          std::vector<float>{0.5F, -1.25F, 3, 0.5F});
    const test::TemporaryFile fp16(
        safetensors_text({bits16_tensor("weight", kValues, ElementType::kFp16)}));
    CHECK(floats(InputFile(fp16.path()).weights(4, wanted), wanted) ==
          std::vector<float>{0.5F, -1.25F, 3, 0.5F});
    const test::TemporaryFile scalar(
        safetensors_text({{"weight", "F32", "[]", std::string("\0\0\x80\x3f", 4)}}));
    CHECK(floats(InputFile(scalar.path()).weights(3, wanted), wanted) ==
          std::vector<float>{1, 1, 1});
}

TEST_CASE("Values are rounded to the type that is asked for") {
    const test::TemporaryFile file(
        safetensors_text({f32_tensor("weight", {1.00390625F * 1.001F, 1e-30F, 7e4F})}));
    const InputFile input(file.path());
    CHECK(floats(input.weights(3, ElementType::kBf16), ElementType::kBf16) ==
          std::vector<float>{1.0078125F,
                             from_bits16(to_bits16(1e-30F, ElementType::kBf16), ElementType::kBf16),
                             70144});
    CHECK(floats(input.weights(3, ElementType::kFp16), ElementType::kFp16) ==
          std::vector<float>{1.0048828125F, 0, std::numeric_limits<float>::infinity()});
}

TEST_CASE("A file without x has no activations") {
    const test::TemporaryFile file(safetensors_text({f32_tensor("weight", kValues)}));
    CHECK_FALSE(InputFile(file.path()).has_activations());
}

TEST_CASE("The name of a file depends on the values that are used alone") {
    const std::string name = name_of({f32_tensor("weight", {1, 2, 3, 4}), f32_tensor("x", {5})});
    CHECK(name.size() == std::string("file:").size() + 12);
    CHECK(name.starts_with("file:"));
    CHECK(name.find_first_not_of("0123456789abcdef", 5) == std::string::npos);

    TensorText square = f32_tensor("weight", {1, 2, 3, 4});
    square.shape = "[2,2]";
    CHECK(name_of({square, f32_tensor("x", {5})}) == name);
    CHECK(name_of({f32_tensor("x", {5}), square}) == name);
    CHECK(name_of({f32_tensor("bias", {9}), square, f32_tensor("x", {5})}) == name);

    CHECK(name_of({f32_tensor("weight", {1, 2, 3, 4})}) != name);
    CHECK(name_of({f32_tensor("weight", {1, 2, 3, 4}), f32_tensor("x", {6})}) != name);
    CHECK(name_of({f32_tensor("weight", {1, 2, 3, 5}), f32_tensor("x", {5})}) != name);
    CHECK(name_of({f32_tensor("weight", {1, 2, 3}), f32_tensor("x", {5})}) != name);
    CHECK(name_of({f32_tensor("weight", {5}), f32_tensor("x", {1, 2, 3, 4})}) != name);
    // The same bytes as other numbers.
    CHECK(name_of({bits16_tensor("weight", {1, 2}, ElementType::kBf16)}) !=
          name_of({{"weight", "F16", "[2]", std::string("\x80\x3f\x00\x40", 4)}}));
}

TEST_CASE("A file that is no use as inputs is refused with what it holds") {
    check_refused({}, "has no tensor 'weight'");
    check_refused({f32_tensor("weights", kValues)}, "has no tensor 'weight'");
    check_refused({f32_tensor("x", kValues)}, "has no tensor 'weight'");
    check_refused({{"weight", "I32", "[1]", "1234"}},
                  "'weight' is I32 with 4 bytes: give BF16, F16 or F32 values");
    check_refused({{"weight", "F64", "[1]", "12345678"}}, "'weight' is F64");
    check_refused({{"weight", "F8_E4M3", "[4]", "1234"}}, "'weight' is F8_E4M3");
    check_refused({{"weight", "F32", "[0]", ""}}, "'weight' is F32 with 0 bytes");
    check_refused({f32_tensor("weight", kValues), {"x", "BF16", "[4,0]", ""}},
                  "'x' is BF16 with 0 bytes");
    check_refused({f32_tensor("weight", kValues), {"x", "U8", "[1]", "1"}}, "'x' is U8");
}

TEST_CASE("Any tensor of a file gives weights, and no other value of it counts") {
    const test::TemporaryFolder folder;
    const auto text = [](float x) {
        return safetensors_text({f32_tensor("a:b.weight", kValues), f32_tensor("x", {x})});
    };
    for (const std::string name : {"one", "t:wo"}) {
        std::ofstream(folder / name, std::ios::binary) << text(1);
    }
    const InputFile input(folder.path("one:a:b.weight"));
    CHECK_FALSE(input.has_activations());
    CHECK(floats(input.weights(4, ElementType::kBf16), ElementType::kBf16) ==
          std::vector<float>{0.5F, -1.25F, 3, 0.5F});
    CHECK(input.name() == name_of({f32_tensor("weight", kValues)}));
    CHECK(InputFile(folder.path("t:wo:a:b.weight")).name() == input.name());
    CHECK(input_source(folder.path("t:wo")).tensor.empty());

    const auto refused = [&](const std::string& tensor, const std::string& why) {
        CHECK_THROWS_AS(InputFile(folder.path("one:" + tensor)), UsageError);
        CHECK_THROWS_WITH(InputFile(folder.path("one:" + tensor)), ContainsSubstring(why));
    };
    refused("b.weight", "no tensor \"b.weight\": it holds \"a:b.weight\", \"x\"");
    std::ofstream(folder / "one", std::ios::binary) << safetensors_text({{"i", "I8", "[1]", "1"}});
    refused("i", "'i' is I8");
}

TEST_CASE("What is no safetensors file is refused") {
    CHECK_THROWS_AS(InputFile("/nowhere/at.all"), UsageError);
    CHECK_THROWS_AS(InputFile(std::filesystem::temp_directory_path()), UsageError);
    CHECK_THROWS_AS(InputFile("/dev/null"), UsageError);
}
