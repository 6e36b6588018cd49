#include "src/model/model_files.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/safetensors.hpp"
#include "tests/temporary.hpp"

using namespace fdkbench;

namespace {

/// Two shards, "a.safetensors" with x and y, "b.safetensors" with z.
class Model {
  public:
    Model() {
        write_safetensors(folder_ / "a.safetensors", {f32_tensor("x", {1}), f32_tensor("y", {2})});
        write_safetensors(folder_ / "b.safetensors", {f32_tensor("z", {3})});
    }
    [[nodiscard]] std::filesystem::path path(const std::string& name) const {
        return folder_ / name;
    }
    [[nodiscard]] std::filesystem::path with_index(const std::string& text) const {
        std::ofstream(path("index.json"), std::ios::binary) << text;
        return path("index.json");
    }
    void check_refused(const std::string& index, const std::string& why) const {
        const auto file = with_index(index);
        CAPTURE(index);
        CHECK_THROWS_AS(ModelFiles(file), UsageError);
        CHECK_THROWS_WITH(ModelFiles(file), ContainsSubstring(why));
    }

  private:
    test::TemporaryFolder folder_;
};

std::string map_of(const std::string& members) {
    return R"({"metadata":{"total_size":12},"weight_map":{)" + members + "}}";
}

}  // namespace

TEST_CASE("A model is one file, or the shards that an index names") {
    const Model model;
    const ModelFiles one(model.path("a.safetensors"));
    REQUIRE(one.shards().size() == 1);
    CHECK(one.shards()[0].file.tensors().size() == 2);

    const ModelFiles two(
        model.with_index(map_of(R"("z":"b.safetensors","x":"a.safetensors","y":"a.safetensors")")));
    REQUIRE(two.shards().size() == 2);
    CHECK(two.shards()[0].path == model.path("a.safetensors"));
    CHECK(two.shards()[1].file.tensor("z").elements<float>() == std::vector<float>{3});
}

TEST_CASE("What is no index is refused") {
    const Model model;
    model.check_refused("", "its header is not JSON");
    model.check_refused("[]", "is not a JSON object");
    model.check_refused("{}", "no object 'weight_map'");
    model.check_refused(R"({"weight_map":{}})", "no object 'weight_map'");
    model.check_refused(R"({"weight_map":["a.safetensors"]})", "no object 'weight_map'");
    model.check_refused(map_of(R"("x":1)"), "tensor \"x\": \"1\" is not the name");
    model.check_refused(map_of(R"("x":"a.safetensors","x":"b.safetensors")"), "holds \"x\" twice");
    CHECK_THROWS_AS(ModelFiles(model.path("none.json")), UsageError);
}

TEST_CASE("Shards are safetensors files beside their index and nowhere else") {
    const Model model;
    for (const std::string name : {"../a.safetensors",
                                   "/etc/a.safetensors",
                                   "./a.safetensors",
                                   "a.bin",
                                   "",
                                   "a.safetensors\\u0000.safetensors"}) {
        model.check_refused(map_of(R"("x":")" + name + R"(")"),
                            "is not the name of a safetensors file beside it");
    }
    model.check_refused(map_of(R"("x":"c.safetensors")"), "c.safetensors: No such file");
}

TEST_CASE("Tensors that a shard lacks, or that two shards have, are refused") {
    const Model model;
    model.check_refused(map_of(R"("z":"a.safetensors")"),
                        "has tensor \"z\" in a.safetensors, which does not hold it");
    write_safetensors(model.path("b.safetensors"), {f32_tensor("z", {3}), f32_tensor("x", {4})});
    model.check_refused(map_of(R"("x":"a.safetensors","z":"b.safetensors")"),
                        "tensor \"x\" is in a.safetensors and again in b.safetensors");
}

TEST_CASE("A damaged shard is refused by its name") {
    const Model model;
    std::filesystem::resize_file(model.path("b.safetensors"), 20);
    model.check_refused(map_of(R"("x":"a.safetensors","z":"b.safetensors")"),
                        "b.safetensors is not a sound safetensors file");
}
