#include "tests/catch.hpp"
#include "tests/cli/program.hpp"
#include "tests/cli/quantise.hpp"
#include "tests/cli/refused.hpp"

#include <iterator>

using namespace fdkbench;
using namespace fdkbench::test;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder with a model "in" and what was written before, "out".
class Place {
  public:
    Place() {
        write_safetensors(in(), small_model());
        std::ofstream(folder_ / "out") << "before";
    }
    [[nodiscard]] std::string in() const { return folder_.path("in"); }
    [[nodiscard]] std::string out() const { return folder_.path("out"); }
    [[nodiscard]] std::string path(const std::string& name) const { return folder_.path(name); }
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

    /// Checks that these arguments are refused and nothing changes.
    void check(const std::vector<std::string>& arguments,
               int exit_code,
               const std::vector<std::string>& words) const {
        const std::set<std::string> names = files_in(folder_.path());
        const std::string input = content_of(in());
        check_refused(run_fdkbench(joined({"quantise"}, arguments)), exit_code, words);
        CHECK(files_in(folder_.path()) == names);
        CHECK((content_of(in()) == input));
        CHECK((content_of(out()) == "before"));
    }
    /// The same for more options to a sound command.
    void check_options(const std::vector<std::string>& options,
                       const std::vector<std::string>& words) const {
        check(joined({in(), "-o", out()}, options), 2, words);
    }

  private:
    TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("Options that cannot be are refused with what can") {
    const Place place;
    place.check({}, 2, {"input", "fdkbench quantise --help"});
    place.check({place.in()}, 2, {"--output", "fdkbench quantise --help"});
    place.check_options({"-b", "3"}, {"3", "8,4,2,1"});
    place.check_options({"-b", "16"}, {"16", "8,4,2,1"});
    for (const std::string size : {"0", "-64", "3", "64k", "", "99999999999999999999"}) {
        place.check_options({"-g", size}, {"'" + size + "'", "-g k"});
    }
    place.check_options({"--tensors", "("}, {"--tensors '('"});
    place.check_options({"--skip", "*"}, {"--skip '*'"});
    place.check_options({"--layout", "rows"}, {"rows", "canonical"});
    place.check_options({"--type", "fp32"}, {"fp32", "bf16"});
    place.check_options({"--tensors", "nothing"}, {"nothing in ", "4 do not match --tensors"});
    place.check_options({"--skip", "."}, {"nothing in ", "4 match --skip"});
    place.check_options({"-g", "512"}, {"nothing in ", "3 have rows"});
}

TEST_CASE("A codebook file that does not fit is refused with what it should hold") {
    const Place place;
    std::ofstream(place.path("two.txt")) << "-1 1";
    place.check_options({"--codebook", place.path("two.txt")}, {"two.txt", "it holds 2", "16"});
    place.check_options({"--codebook", "k-means"}, {"k-means", "No such file"});
    place.check_options({"--codebook", place.in()}, {"is no number"});
}

TEST_CASE("An input that is damaged, truncated or none is refused") {
    const Place place;
    const std::string whole = content_of(place.in());
    place.check({place.path("none"), "-o", place.out()}, 2, {"none", "No such file"});
    place.check({place.path(""), "-o", place.out()}, 2, {"it is not a file"});
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{7}, std::size_t{100}, whole.size() - 1}) {
        CAPTURE(size);
        std::ofstream(place.path("cut"), std::ios::binary) << whole.substr(0, size);
        place.check({place.path("cut"), "-o", place.out()}, 2, {"cut is not a sound safetensors"});
    }
    const auto tampered = [&](const std::string& from, const std::string& to) {
        std::string text = whole;
        text.replace(text.find(from), from.size(), to);
        std::ofstream(place.path("bad"), std::ios::binary) << text;
        place.check({place.path("bad"), "-o", place.out()}, 2, {"bad is not a sound safetensors"});
    };
    tampered("[24,128]", "[24,129]");
    tampered("\"BF16\"", "\"BF17\"");
    tampered("odd.weight", "ids\",\"weig");
}

TEST_CASE("An index that is damaged or leads elsewhere is refused") {
    const Place place;
    const std::string index = write_shards(place.folder());
    const std::string whole = content_of(index);
    const auto tampered =
        [&](const std::string& from, const std::string& to, const std::string& why) {
            std::string text = whole;
            text.replace(text.find(from), from.size(), to);
            std::ofstream(place.path("bad.json"), std::ios::binary) << text;
            place.check({place.path("bad.json"), "-o", place.out()}, 2, {why});
        };
    tampered("}}", "", "not JSON");
    tampered("model-2-of-2.safetensors", "../model-2-of-2.safetensors", "beside it");
    tampered("model-2-of-2.safetensors", "model-3-of-3.safetensors", "No such file");
    tampered("\"ids\"", "\"idx\"", "does not hold it");
    fs::resize_file(place.path("model-2-of-2.safetensors"), 1000);
    place.check({index, "-o", place.out()}, 2, {"model-2-of-2.safetensors is not a sound"});
}

TEST_CASE("An output that would replace an input, or is no file, is refused") {
    const Place place;
    place.check({place.in(), "-o", place.in()}, 2, {"is read and would be replaced"});
    fs::create_symlink(place.in(), place.path("link"));
    place.check({place.in(), "-o", place.path("link")}, 2, {"is read and would be replaced"});
    const std::string index = write_shards(place.folder());
    const std::string shard = place.path("model-1-of-2.safetensors");
    place.check({index, "-o", index}, 2, {"would be replaced"});
    place.check({index, "-o", shard}, 2, {"would be replaced"});
    place.check({index, "-o", place.path("other.json")},
                2,
                {"model-1-of-2.safetensors is read", "another folder"});
    place.check({place.in(), "-o", place.path("other.json")}, 2, {"has no shards"});
    place.check({place.in(), "-o", place.folder().path()}, 2, {"not a file"});
    place.check({place.in(), "-o", "/dev/null"}, 2, {"/dev/null", "not a file"});
    place.check({place.in(), "-o", place.path("no/out")}, 3, {"no/out", "-o"});
}

TEST_CASE("Names that quantising needs must be free, and weights must be finite") {
    const Place place;
    write_safetensors(place.path("taken"), {waves("a.weight", 4, 64), f32_tensor("a.scale", {1})});
    place.check({place.path("taken"), "-o", place.out()}, 2, {"\"a.scale\" already", "--skip"});

    std::vector<float> values(128, 1);
    values[70] = -INFINITY;
    write_safetensors(place.path("infinite"),
                      {waves("a.weight", 4, 64), shaped(f32_tensor("b.weight", values), "[2,64]")});
    place.check({place.path("infinite"), "-o", place.out()},
                2,
                {"\"b.weight\" has the value -inf at [1, 6]", "--skip"});
}

TEST_CASE("An interrupted command leaves what there was") {
    const Place place;
    // Takes seconds.
    const std::string big = place.path("big");
    write_zeros(big, 65536);
    const std::string signal = GENERATE("INT", "TERM");
    const ProgramResult result = run_shell(
        fdkbench_command({"quantise", big, "-o", place.out(), "--codebook", "kmeans"}) +
        " & pid=$!; i=0; until ls '" + place.folder().path() +
        "'/*.part || [ $i = 1200 ]; do sleep 0.05; i=$((i + 1)); done >/dev/null 2>&1; kill -s " +
        signal + " $pid; wait $pid");
    INFO(result.out << result.err);
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.err, ContainsSubstring("Interrupted; " + place.out() + " is not written."));
    CHECK(result.out.empty());
    CHECK(files_in(place.folder().path()) == std::set<std::string>{"big", "in", "out"});
    CHECK((content_of(place.out()) == "before"));
}
