#include "src/core/safetensors.hpp"

#include "src/core/error.hpp"
#include "tests/catch.hpp"
#include "tests/temporary.hpp"

#include <sys/stat.h>
#include <unistd.h>

using namespace fdkbench;
namespace fs = std::filesystem;

namespace {

std::string with_length(std::uint64_t length, const std::string& rest) {
    std::string bytes(8, '\0');
    for (char& byte : bytes) {
        byte = static_cast<char>(length & 0xffU);
        length >>= 8U;
    }
    return bytes + rest;
}

std::string file_of(const std::string& header, const std::string& data) {
    return with_length(header.size(), header + data);
}

/// One tensor "w" with the rest of its entry.
std::string tensor_file(const std::string& entry, std::size_t data_bytes) {
    return file_of(R"({"w":)" + entry + "}", std::string(data_bytes, 'd'));
}

void check_refused(const std::string& bytes, const std::string& why) {
    const test::TemporaryFile file(bytes);
    CAPTURE(why);
    CHECK_THROWS_AS(SafetensorsFile(file.path()), UsageError);
    CHECK_THROWS_WITH(SafetensorsFile(file.path()),
                      ContainsSubstring(why) && ContainsSubstring(file.path().string()));
}

void check_tensor_refused(const std::string& entry, std::size_t bytes, const std::string& why) {
    check_refused(tensor_file(entry, bytes), "tensor \"w\": " + why);
}

}  // namespace

TEST_CASE("Tensors are read with their types, shapes and bytes, whatever their order") {
    const std::string header = R"({"__metadata__":{"made by":"a test"},)"
                               R"("b":{"dtype":"BF16","shape":[2,1],"data_offsets":[3,7]},)"
                               R"("empty":{"dtype":"F32","shape":[4,0],"data_offsets":[3,3]},)"
                               R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                               R"("scalar":{"dtype":"F64","shape":[],"data_offsets":[7,15]}}   )";
    const double scalar = 1.5;
    const auto* scalar_bytes = reinterpret_cast<const char*>(&scalar);
    const std::string data = std::string("abc") + std::string("\x80\x3f\x00\x40", 4) +
                             std::string(scalar_bytes, sizeof scalar);
    const test::TemporaryFile whole(file_of(header, data));
    const SafetensorsFile file(whole.path());
    CHECK(file.metadata() == std::map<std::string, std::string>{{"made by", "a test"}});
    REQUIRE(file.tensors().size() == 4);
    CHECK(file.tensors()[0].name == "a");
    CHECK(file.tensors()[1].name == "empty");
    CHECK(file.tensors()[2].name == "b");
    CHECK(file.tensors()[3].name == "scalar");
    CHECK(file.tensor("a").elements<char>() == std::vector<char>{'a', 'b', 'c'});
    const Tensor& b = file.tensor("b");
    CHECK(b.type == TensorType::kBf16);
    CHECK(b.shape == std::vector<std::int64_t>{2, 1});
    CHECK(b.elements<std::uint16_t>() == std::vector<std::uint16_t>{0x3f80, 0x4000});
    CHECK(file.tensor("empty").elements<float>().empty());
    CHECK(file.tensor("scalar").shape.empty());
    CHECK(file.tensor("scalar").elements<double>() == std::vector<double>{1.5});
    CHECK_THROWS_AS(b.elements<float>(), std::logic_error);
}

TEST_CASE("A file stays open where it is moved, and after its name is gone") {
    const auto open_and_remove = [] {
        const test::TemporaryFile file(
            tensor_file(R"({"dtype":"U8","shape":[2],"data_offsets":[0,2]})", 2));
        return SafetensorsFile(file.path());
    };
    const SafetensorsFile file = open_and_remove();
    CHECK(file.tensor("w").elements<char>() == std::vector<char>{'d', 'd'});
}

TEST_CASE("A tensor that is not there is refused with those that are") {
    const test::TemporaryFile source(
        tensor_file(R"({"dtype":"U8","shape":[2],"data_offsets":[0,2]})", 2));
    const SafetensorsFile file(source.path());
    CHECK_THROWS_AS(file.tensor("v"), UsageError);
    CHECK_THROWS_WITH(file.tensor("v\n"), ContainsSubstring(R"(no tensor "v\n": it holds "w")"));
    const test::TemporaryFile none(file_of("{}", ""));
    CHECK(SafetensorsFile(none.path()).tensors().empty());
    CHECK(SafetensorsFile(none.path()).metadata().empty());
    CHECK_THROWS_WITH(SafetensorsFile(none.path()).tensor("w"), ContainsSubstring("holds none"));
}

TEST_CASE("Every type of the format is known by its name and its width") {
    for (const auto& [name, bits] : std::vector<std::pair<std::string, int>>{
             {"BOOL", 8},        {"F4", 4},         {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
             {"I8", 8},          {"F8_E5M2", 8},    {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"I16", 16},
             {"U16", 16},        {"F16", 16},       {"BF16", 16},   {"I32", 32},    {"U32", 32},
             {"F32", 32},        {"C64", 64},       {"F64", 64},    {"I64", 64},    {"U64", 64},
             {"F8_E5M2FNUZ", 8}, {"F8_E4M3FNUZ", 8}}) {
        CAPTURE(name);
        const test::TemporaryFile source(tensor_file(R"({"dtype":")" + name +
                                                         R"(","shape":[4],"data_offsets":[0,)" +
                                                         std::to_string(bits / 2) + "]}",
                                                     static_cast<std::size_t>(bits / 2)));
        const SafetensorsFile file(source.path());
        CHECK(to_string(file.tensor("w").type) == name);
        CHECK(bits_of(file.tensor("w").type) == bits);
    }
}

TEST_CASE("A header that is cut, too long or no header is refused") {
    check_refused("", "it has 0 bytes");
    check_refused("1234567", "it has 7 bytes");
    check_refused(with_length(3, "{}"), "should have 3 bytes, but the file ends after 2");
    check_refused(with_length(~std::uint64_t{0}, "{}"), "at most 100000000 are allowed");
    check_refused(with_length(100'000'001, "{}"), "at most 100000000 are allowed");
    check_refused(with_length(0, "{}"), "its header is not JSON");
    check_refused(file_of("{", ""), "its header is not JSON (byte 2)");
    check_refused(file_of("{}}", ""), "its header is not JSON");
    check_refused(file_of("[]", ""), "its header is not a JSON object");
    check_refused(file_of("{\"\xff\":1}", ""), "its header is not JSON");
    check_refused(file_of(R"({"w":1e999})", ""), "out of range");
    check_refused(file_of(std::string(100'000, '['), ""), "nested too deep");
    check_refused(file_of(R"({"__metadata__":{"a":1}})", ""), "__metadata__");
    check_refused(file_of(R"({"__metadata__":"a"})", ""), "__metadata__");
}

TEST_CASE("A repeated name is refused, of a tensor and of its parts") {
    const std::string entry = R"({"dtype":"U8","shape":[2],"data_offsets":[0,2]})";
    check_refused(file_of(R"({"w":)" + entry + R"(,"v":1,"w":)" + entry + "}", "dd"),
                  "holds \"w\" twice");
    check_tensor_refused(R"({"dtype":"U8","shape":[2]})", 2, "there is no 'data_offsets'");
    check_refused(tensor_file(R"({"dtype":"U8","dtype":"I8","shape":[2],"data_offsets":[0,2]})", 2),
                  "holds \"dtype\" twice");
}

TEST_CASE("A tensor with an impossible entry is refused by its name") {
    const std::string u8 = R"({"dtype":"U8",)";
    check_tensor_refused("1", 0, "its entry is not a JSON object");
    check_tensor_refused(R"({"shape":[2],"data_offsets":[0,2]})", 2, "there is no 'dtype'");
    check_tensor_refused(R"({"dtype":"U7"})", 2, R"(dtype "U7" is none of BOOL, F4)");
    check_tensor_refused(R"({"dtype":8})", 2, "'dtype' is not a word");
    check_tensor_refused(u8 + R"("data_offsets":[0,2]})", 2, "there is no 'shape'");
    for (const std::string shape : {"2", "null", "[2.0]", "[-2]", R"(["2"])", "{}"}) {
        check_tensor_refused(
            u8 + R"("shape":)" + shape + R"(,"data_offsets":[0,2]})", 2, "'shape' is not a list");
    }
}

TEST_CASE("Shapes whose bytes overflow or make no whole byte are refused") {
    const auto with_shape = [](const std::string& type, const std::string& shape) {
        return R"({"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":[0,0]})";
    };
    // Four times 2^62 is 0 in 64 bits.
    check_tensor_refused(with_shape("U8", "[4,4611686018427387904]"),
                         0,
                         "shape [4, 4611686018427387904] is too large");
    check_tensor_refused(with_shape("F64", "[2305843009213693952]"), 0, "shape [");
    check_tensor_refused(with_shape("U8", "[18446744073709551615]"), 0, "shape [");
    check_tensor_refused(with_shape("I8", "[1,1,1,1,1,1,1,1,1]"),
                         0,
                         "data_offsets [0, 0] hold 0 "
                         "bytes, but shape [1, 1, 1, 1, 1, 1, 1, 1, …] of I8 needs 1");
    check_tensor_refused(with_shape("F4", "[3]"), 2, "shape [3] of F4 makes no whole bytes");
    check_tensor_refused(
        with_shape("F6_E2M3", "[2]"), 2, "shape [2] of F6_E2M3 makes no whole bytes");
}

TEST_CASE("Offsets that do not hold the tensor, the whole of it and nothing else are refused") {
    const auto at = [](const std::string& offsets) {
        return R"({"dtype":"BF16","shape":[2,2],"data_offsets":)" + offsets + "}";
    };
    for (const std::string offsets :
         {"[]", "[0]", "[0,8,8]", "[8,0]", "[0,9]", "[18446744073709551615,8]", "[8,16]"}) {
        check_tensor_refused(at(offsets), 8, "data_offsets ");
    }
    check_tensor_refused(at("[0,-8]"), 8, "'data_offsets' is not a list of whole numbers");
    check_tensor_refused(at("[0,7]"),
                         8,
                         "data_offsets [0, 7] hold 7 bytes, but shape [2, 2] of "
                         "BF16 needs 8");
    check_tensor_refused(at("[1,9]"), 9, "its data begin at byte 1");
    check_refused(tensor_file(at("[0,8]"), 9), "its last 1 bytes belong to no tensor");
    const std::string two = R"({"v":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                            R"("w":{"dtype":"U8","shape":[2],"data_offsets":)";
    check_refused(
        file_of(two + "[1,3]}}", "abc"),
        R"(tensor "w": its data begin at byte 1, but the tensors before it end at byte 2)");
    check_refused(file_of(two + "[3,5]}}", "abcde"), R"(tensor "w": its data begin at byte 3)");
    check_refused(file_of(two + "[0,2]}}", "ab"), "but the tensors before it end at byte 2");
}

TEST_CASE("A name from the file stays on one line and short") {
    const test::TemporaryFile file(file_of(R"({"a\n)" + std::string(10'000, 'x') + R"(":1})", ""));
    try {
        SafetensorsFile{file.path()};
        FAIL("it was taken");
    } catch (const UsageError& error) {
        const std::string message = error.what();
        CHECK(message.find('\n') == std::string::npos);
        CHECK(message.size() < 400);
    }
}

TEST_CASE("What is no file is refused without waiting for it") {
    const fs::path folder = fs::temp_directory_path();
    CHECK_THROWS_WITH(SafetensorsFile(folder), ContainsSubstring("it is not a file"));
    CHECK_THROWS_AS(SafetensorsFile("/dev/null"), UsageError);
    CHECK_THROWS_WITH(SafetensorsFile(folder / "no such file"), ContainsSubstring("No such file"));
    const std::string pipe = "/tmp/fdkbench-pipe-" + std::to_string(::getpid());
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    CHECK_THROWS_WITH(SafetensorsFile(pipe), ContainsSubstring("it is not a file"));
    ::unlink(pipe.c_str());
}
