#include "src/model/tensor_choice.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"

using namespace fdkbench;

namespace {

Tensor tensor(const std::string& name,
              const std::vector<std::int64_t>& shape = {16, 128},
              TensorType type = TensorType::kBf16) {
    static const std::vector<std::byte> bytes(1);
    return {name, type, shape, bytes};
}

TensorFate default_fate(const Tensor& tensor, std::int64_t group_size = 64) {
    return TensorChoice("", std::string(kDefaultSkip)).fate(tensor, 4, group_size);
}

TensorFate fate(const std::string& name, const std::string& tensors, const std::string& skip) {
    return TensorChoice(tensors, skip).fate(tensor(name), 4, 64);
}

}  // namespace

TEST_CASE("By default all 2-d weights but the output layer and embeddings are quantised") {
    for (const std::string name : {"model.layers.0.mlp.up_proj.weight",
                                   "transformer.h.0.attn.c_attn.weight",
                                   "model.layers.0.mlp.shared_expert.gate.weight",
                                   "w.weight"}) {
        CAPTURE(name);
        CHECK(default_fate(tensor(name)) == TensorFate::kQuantised);
    }
    for (const std::string name : {"lm_head.weight",
                                   "model.embed_tokens.weight",
                                   "bert.embeddings.word_embeddings.weight",
                                   "gpt_neox.embed_out.weight",
                                   "transformer.wte.weight",
                                   "wpe.weight",
                                   "shared.weight"}) {
        CAPTURE(name);
        CHECK(default_fate(tensor(name)) == TensorFate::kSkipped);
    }
}

TEST_CASE("Only 2-d tensors NAME.weight of 16-bit or fp32 values are weights") {
    for (const TensorType type : {TensorType::kBf16, TensorType::kF16, TensorType::kF32}) {
        CHECK(default_fate(tensor("a.weight", {16, 64}, type)) == TensorFate::kQuantised);
    }
    CHECK(default_fate(tensor("a.weight", {16, 64}, TensorType::kF8E4M3)) == TensorFate::kOther);
    CHECK(default_fate(tensor("a.weight", {16, 64}, TensorType::kF64)) == TensorFate::kOther);
    CHECK(default_fate(tensor("a.weight", {64})) == TensorFate::kOther);
    CHECK(default_fate(tensor("a.weight", {2, 8, 64})) == TensorFate::kOther);
    for (const std::string name : {"a.bias", "weight", ".weight", "a.weight_scale", "a.weights"}) {
        CHECK(default_fate(tensor(name)) == TensorFate::kOther);
    }
    Tensor empty = tensor("a.weight", {0, 64});
    empty.bytes = {};
    CHECK(default_fate(empty) == TensorFate::kOther);
}

TEST_CASE("Rows must be whole groups, or whole bytes where a row is one group") {
    CHECK(default_fate(tensor("a.weight", {16, 96})) == TensorFate::kOddGroups);
    CHECK(default_fate(tensor("a.weight", {16, 96}), 32) == TensorFate::kQuantised);
    CHECK(default_fate(tensor("a.weight", {16, 96}), 0) == TensorFate::kQuantised);
    CHECK(default_fate(tensor("a.weight", {16, 97}), 0) == TensorFate::kOddGroups);
}

TEST_CASE("Regular expressions are searched for in names with and without .weight") {
    CHECK(fate("model.mlp.weight", "mlp", "") == TensorFate::kQuantised);
    CHECK(fate("model.mlp.weight", "mlp$", "") == TensorFate::kQuantised);
    CHECK(fate("model.mlp.weight", "^model\\.mlp\\.weight$", "") == TensorFate::kQuantised);
    CHECK(fate("model.mlp.weight", "attn", "") == TensorFate::kNotChosen);
    CHECK(fate("model.mlp.weight", "mlp", "^model") == TensorFate::kSkipped);
    CHECK(fate("lm_head.weight", "", "^lm_head$") == TensorFate::kSkipped);
    CHECK(fate("lm_head.weight", "", "") == TensorFate::kQuantised);
    CHECK_THROWS_WITH(fate("a.weight", "(", ""), ContainsSubstring("--tensors '('"));
    CHECK_THROWS_WITH(fate("a.weight", "", "["), ContainsSubstring("--skip '['"));
}

TEST_CASE("A name too long for a regular expression is refused") {
    const std::string name = std::string(1'000'000, 'a') + ".weight";
    CHECK_THROWS_AS(fate(name, ".*b", ""), UsageError);
    CHECK(fate(std::string(1900, 'a') + ".weight", "(a|b)*c", "") == TensorFate::kNotChosen);
}
