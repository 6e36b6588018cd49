#include "tests/cli/quantise.hpp"

#include "src/core/json.hpp"
#include "src/core/safetensors.hpp"
#include "tests/catch.hpp"
#include "tests/cli/program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sys/resource.h>

using namespace fdkbench;
using namespace fdkbench::test;
namespace fs = std::filesystem;

namespace {

std::string bytes_of(const SafetensorsFile& file, const std::string& name) {
    const Tensor& tensor = file.tensor(name);
    return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

bool holds(const SafetensorsFile& file, const std::string& name) {
    return std::ranges::count(file.tensors(), name, &Tensor::name) == 1;
}

/// Checks that a tensor is in both files, equal in all that it has.
void check_copied(const SafetensorsFile& from, const SafetensorsFile& to, const std::string& name) {
    CAPTURE(name);
    REQUIRE(holds(to, name));
    CHECK(to.tensor(name).type == from.tensor(name).type);
    CHECK(to.tensor(name).shape == from.tensor(name).shape);
    CHECK((bytes_of(to, name) == bytes_of(from, name)));
}

ProgramResult require_quantised(const std::vector<std::string>& arguments) {
    ProgramResult result = run_fdkbench(joined({"quantise"}, arguments));
    INFO(result.out << result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(result.err.empty());
    return result;
}

/// One case of vectors that another implementation of the format wrote.
struct Golden {
    std::string name;
    SafetensorsFile file;

    explicit Golden(const std::string& its_name) : name(its_name), file(path()) {}

    static fs::path path() {
        const char* path = std::getenv("FDKBENCH_GOLDEN");
        if (path == nullptr || !fs::exists(path)) {
            skip_program("there are no golden vectors");
        }
        return path;
    }
    [[nodiscard]] const Tensor& tensor(const std::string& what) const {
        return file.tensor(name + "." + what);
    }
    [[nodiscard]] std::string bytes(const std::string& what) const {
        return bytes_of(file, name + "." + what);
    }
    [[nodiscard]] std::int64_t bits() const { return 8 / tensor("byte_lut").shape.at(1); }
    [[nodiscard]] std::int64_t group_size() const {
        return tensor("weight").shape.at(1) / tensor("scale").shape.at(1);
    }
    /// As text; a byte's last element stands in its lowest bits.
    [[nodiscard]] std::string codebook() const {
        const auto lut = tensor("byte_lut").elements<std::uint16_t>();
        std::string text;
        for (std::int64_t i = 0; i < std::int64_t{1} << bits(); ++i) {
            const auto last = static_cast<std::size_t>((i + 1) * (8 / bits()) - 1);
            text += fmt::format("{}\n", from_bits16(lut[last], ElementType::kBf16));
        }
        return text;
    }
};

}  // namespace

TEST_CASE("The program quantises as the golden vectors have it, to the bit") {
    const Golden golden(GENERATE("b8_g64", "b4_g64", "b2_g64", "b1_g64", "b4_g64_lut"));
    const TemporaryFolder folder;
    const auto& shape = golden.tensor("weight").shape;
    write_safetensors(folder / "in.safetensors",
                      {{"layer.weight",
                        "BF16",
                        fmt::format("[{},{}]", shape[0], shape[1]),
                        golden.bytes("weight")}});
    std::ofstream(folder / "codebook.txt") << golden.codebook();
    require_quantised(
        {folder.path("in.safetensors"),
         "-o",
         folder.path("out.safetensors"),
         "-b",
         std::to_string(golden.bits()),
         "-g",
         std::to_string(golden.group_size()),
         "--codebook",
         golden.name == "b4_g64_lut" ? folder.path("codebook.txt") : std::string("uniform")});
    const SafetensorsFile out(folder / "out.safetensors");
    REQUIRE(out.tensors().size() == 3);
    CHECK(out.tensor("layer.weight_data").shape == golden.tensor("weight_data").shape);
    CHECK(out.tensor("layer.scale").shape == golden.tensor("scale").shape);
    CHECK(out.tensor("layer.scale").type == golden.tensor("scale").type);
    CHECK((bytes_of(out, "layer.weight_data") == golden.bytes("weight_data")));
    CHECK((bytes_of(out, "layer.scale") == golden.bytes("scale")));
}

TEST_CASE("A file's weights are quantised and everything else is copied") {
    const TemporaryFolder folder;
    const std::string in = folder.path("in.safetensors");
    write_safetensors(in, small_model(), R"({"format":"pt","note":"a \"b\""})");
    const ProgramResult result = require_quantised({in, "-o", folder.path("out.safetensors")});
    CHECK_THAT(result.out,
               ContainsSubstring("nrmse") && ContainsSubstring("  layers.0.up.weight\n") &&
                   ContainsSubstring("2 tensors quantised: nrmse ") &&
                   ContainsSubstring("1 matched by --skip (lm_head.weight)") &&
                   ContainsSubstring("1 with rows that are not whole groups (odd.weight)") &&
                   ContainsSubstring("out.safetensors: "));

    const SafetensorsFile from(in);
    const SafetensorsFile to(folder / "out.safetensors");
    CHECK(to.tensors().size() == from.tensors().size() + 2 * 2);
    for (const std::string name : {"lm_head.weight", "odd.weight", "layers.0.norm.weight", "ids"}) {
        check_copied(from, to, name);
    }
    CHECK(holds(to, "layers.0.up.weight_data"));
    CHECK(!holds(to, "layers.0.up.weight"));
    CHECK(to.metadata().at("format") == "pt");
    CHECK(to.metadata().at("note") == "a \"b\"");
    CHECK(Json::parse(to.metadata().at("fdkbench:layers.0.up")) ==
          Json::parse(R"({"n":24,"k":128,"bits":4,"group_size":64,"type":"bf16",)"
                      R"("layout":"canonical"})"));
    CHECK(files_in(folder.path()) == std::set<std::string>{"in.safetensors", "out.safetensors"});
}

TEST_CASE("The tensors to quantise can be chosen, and the layout") {
    const TemporaryFolder folder;
    const std::string in = folder.path("in.safetensors");
    write_safetensors(in, small_model());
    require_quantised({in,
                       "-o",
                       folder.path("out"),
                       "--tensors",
                       "lm_head|up$",
                       "--skip",
                       "",
                       "--layout",
                       "fragment",
                       "-b",
                       "2",
                       "-g",
                       "k",
                       "--type",
                       "fp16",
                       "--codebook",
                       "kmeans"});
    const SafetensorsFile out(folder / "out");
    CHECK(holds(out, "layers.0.down.weight"));
    CHECK(out.tensor("lm_head.weight_data").shape == std::vector<std::int64_t>{1, 1, 512});
    CHECK(out.tensor("layers.0.up.weight_data").shape == std::vector<std::int64_t>{2, 1, 512});
    CHECK(out.tensor("layers.0.up.scale").shape == std::vector<std::int64_t>{2, 1, 8, 4, 2});
    CHECK(out.tensor("layers.0.up.scale").type == TensorType::kF16);
    CHECK(Json::parse(out.metadata().at("fdkbench:layers.0.up")).at("group_size") == 128);
}

TEST_CASE("A model in shards becomes shards with an index, or one file") {
    const TemporaryFolder folder;
    const std::string index = write_shards(folder);
    fs::create_directory(folder / "out");
    const std::string out = folder.path("out/model.safetensors.index.json");
    const ProgramResult result = require_quantised({index, "-o", out});
    CHECK_THAT(result.out, ContainsSubstring("2 tensors quantised"));
    CHECK(files_in(folder.path("out")) == std::set<std::string>{"model-1-of-2.safetensors",
                                                                "model-2-of-2.safetensors",
                                                                "model.safetensors.index.json"});
    std::ifstream stream(out);
    const Json written = Json::parse(stream);
    std::uint64_t bytes = 0;
    std::size_t tensors = 0;
    for (const std::string shard : {"model-1-of-2.safetensors", "model-2-of-2.safetensors"}) {
        const SafetensorsFile to(folder / ("out/" + shard));
        const SafetensorsFile from(folder / shard);
        for (const Tensor& tensor : to.tensors()) {
            CHECK(written.at("weight_map").at(tensor.name) == shard);
            bytes += tensor.bytes.size();
            ++tensors;
        }
        for (const Tensor& tensor : from.tensors()) {
            if (holds(to, tensor.name)) {
                check_copied(from, to, tensor.name);
            }
        }
        CHECK(to.metadata().at("format") == "pt");
    }
    CHECK(written.at("weight_map").size() == tensors);
    CHECK(written.at("metadata").at("total_size") == bytes);

    // Of what was quantised once, nothing is left to be quantised.
    const ProgramResult again = run_fdkbench({"quantise", out, "-o", folder.path("again")});
    CHECK(again.exit_code == 2);
    CHECK_THAT(again.err, ContainsSubstring("nothing in "));

    require_quantised({index, "-o", folder.path("one.safetensors")});
    const SafetensorsFile one(folder / "one.safetensors");
    CHECK(one.tensors().size() == tensors);
    CHECK(one.metadata().size() == 3);
    for (const std::string shard : {"model-1-of-2.safetensors", "model-2-of-2.safetensors"}) {
        const SafetensorsFile to(folder / ("out/" + shard));
        for (const Tensor& tensor : to.tensors()) {
            check_copied(to, one, tensor.name);
        }
    }
}

TEST_CASE("Memory does not grow with the model") {
    const TemporaryFolder folder;
    const std::string in = folder.path("in");
    write_zeros(in, 32768);
    require_quantised({in, "-o", folder.path("out")});
    rusage usage{};
    REQUIRE(::getrusage(RUSAGE_CHILDREN, &usage) == 0);
    CHECK(static_cast<std::size_t>(usage.ru_maxrss) * 1024 < fs::file_size(in) / 2);
}

TEST_CASE("A terminal shows a bar while a model is quantised") {
    const TemporaryFolder folder;
    const std::string in = folder.path("in.safetensors");
    write_safetensors(in, small_model());
    if (run_shell("command -v script").exit_code != 0) {
        skip_program("there is no program 'script'");
    }
    const ProgramResult result =
        run_shell("script -qec \"" + fdkbench_command({"quantise", in, "-o", folder.path("out")}) +
                  "\" /dev/null");
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.out,
               ContainsSubstring("[....................] 0 bytes of ") &&
                   ContainsSubstring("2 tensors quantised"));
}
