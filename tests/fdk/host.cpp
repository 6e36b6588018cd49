#include "src/core/error.hpp"
#include "src/core/fragment.hpp"
#include "src/host/cpu_info.hpp"
#include "src/host/host_backend.hpp"
#include "tests/catch.hpp"
#include "tests/fdk/fixture.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

constexpr double kMaxNrmse = 4e-3;
constexpr std::size_t kGuard = 64;

BundleMaker host_maker() {
    try {
        (void)make_system_compiler()->version();
    } catch (const EnvironmentError& error) {
        skip_program(error.what());
    }
    return {make_host_backend()->devices().at(0), make_system_compiler()};
}

Problem problem(std::int64_t m, int bits, ElementType type = ElementType::kBf16) {
    return {.shape = {m, 48, 256}, .format = {bits, bits == 16 ? 0 : 64}, .type = type};
}

/// Memory at a multiple of 16 bytes and of no more.
struct Place {
    explicit Place(std::size_t count) : memory(count + kGuard + 64, 0xffff) {
        const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
        values = memory.data() + ((address + 31) / 32 * 32 + 16 - address) / 2;
    }
    std::vector<std::uint16_t> memory;
    std::uint16_t* values;
};

/// The error of a product; fails the test when something is written behind y.
double error_of(fdk_matrix* matrix, const Weights& weights, const Problem& problem, unsigned seed) {
    const auto x = random_activations(problem, seed);
    Place from(x.size());
    std::ranges::copy(x, from.values);
    const auto count = static_cast<std::size_t>(problem.shape.m * problem.shape.n);
    Place to(count);
    require_ok(fdk_matmul(matrix, nullptr, from.values, problem.shape.m, to.values));
    CHECK(std::all_of(to.values + count, to.values + count + kGuard / 2, [](auto value) {
        return value == 0xffff;
    }));
    return nrmse({to.values, to.values + count}, x, weights, problem);
}

}  // namespace

TEST_CASE("A matrix multiplies for the m of its table, also without the table") {
    const int bits = GENERATE(16, 8, 4, 2, 1);
    const ElementType type = GENERATE(ElementType::kBf16, ElementType::kFp16);
    INFO(bits << " bits, " << to_string(type));
    BundleMaker maker = host_maker();
    const std::string family = bits == 16 ? "host_dense" : "host_lut";
    for (const std::int64_t m : {5, 1}) {
        maker.add(family, problem(m, bits, type));
    }
    Table table = load(maker.write());
    const Weights weights = random_weights(problem(1, bits, type), 7);
    const MatrixHandle matrix = make_matrix(table.get(), weights, bits == 4 ? "host" : nullptr);
    table.reset();

    const std::int64_t* m = nullptr;
    std::size_t count = 0;
    require_ok(fdk_matrix_m(matrix.get(), &m, &count));
    CHECK(std::vector<std::int64_t>(m, m + count) == std::vector<std::int64_t>{1, 5});
    for (unsigned seed = 1; seed < 4; ++seed) {
        CHECK(error_of(matrix.get(), weights, problem(1, bits, type), seed) < kMaxNrmse);
        CHECK(error_of(matrix.get(), weights, problem(5, bits, type), seed) < kMaxNrmse);
    }
    CHECK(fdk_matmul(matrix.get(), nullptr, nullptr, 0, nullptr) == FDK_OK);
}

TEST_CASE("A matrix multiplies for m between and beyond those of its table") {
    const int bits = GENERATE(16, 4);
    INFO(bits << " bits");
    BundleMaker maker = host_maker();
    const std::string family = bits == 16 ? "host_dense" : "host_lut";
    const bool far_apart = GENERATE(false, true);
    maker.add(family, problem(1, bits), LaunchMode::kPlain, 2);
    maker.add(family, problem(far_apart ? 700 : 6, bits), LaunchMode::kPlain, 5);
    const Table table = load(maker.write());
    const Weights weights = random_weights(problem(1, bits), 7);
    const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
    // 1 to 6 in one launch, some by each kernel; 512 and 700 in one, more in several.
    for (const std::int64_t m : {2, 1200, 3, 5, 1, 6, 7, 8, 31, 512, 513, 699, 700, 701, 1030}) {
        INFO("m " << m);
        CHECK(error_of(matrix.get(), weights, problem(m, bits), 3) < kMaxNrmse);
    }
}

TEST_CASE("A table of the version before is for the m that were measured") {
    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(1, 4));
    maker.add("host_lut", problem(4, 4));
    Bundle bundle = read_bundle(maker.write());
    bundle.table["schema_version"] = 2;
    for (Json& entry : bundle.table["entries"]) {
        entry.erase("first_m");
        entry.erase("last_m");
        entry["launch"].erase("tiling");
    }
    const TemporaryFile file{std::string_view(to_bytes(bundle))};
    const Table table = load(file.path());
    const Weights weights = random_weights(problem(1, 4), 7);
    const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
    CHECK(error_of(matrix.get(), weights, problem(1, 4), 3) < kMaxNrmse);
    CHECK(error_of(matrix.get(), weights, problem(4, 4), 3) < kMaxNrmse);
    alignas(16) std::uint16_t x[8 * 256] = {};
    alignas(16) std::uint16_t y[8 * 48] = {};
    for (const std::int64_t m : {2, 5}) {
        CHECK_THAT(refusal(fdk_matmul(matrix.get(), nullptr, x, m, y), FDK_NO_ENTRY),
                   ContainsSubstring("m=" + std::to_string(m)) && ContainsSubstring("m = 1, 4"));
    }
}

TEST_CASE("A call that cannot be done says what can") {
    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(1, 4));
    maker.add("host_lut", problem(4, 4));
    const Table table = load(maker.write());
    const Weights weights = random_weights(problem(1, 4), 7);
    const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
    alignas(16) std::uint16_t x[4 * 256] = {};
    alignas(16) std::uint16_t y[4 * 48] = {};

    const auto multiply = [&](std::int64_t m, const void* from, void* to) {
        return fdk_matmul(matrix.get(), nullptr, from, m, to);
    };
    CHECK_THAT(refusal(multiply(-1, x, y), FDK_INVALID_ARGUMENT), ContainsSubstring("m=-1"));
    CHECK_THAT(refusal(multiply(1, x + 4, y), FDK_INVALID_ARGUMENT), ContainsSubstring("x is at"));
    CHECK_THAT(refusal(multiply(1, x, nullptr), FDK_INVALID_ARGUMENT),
               ContainsSubstring("y is at"));
    CHECK_THAT(refusal(fdk_matmul(nullptr, nullptr, x, 1, y), FDK_INVALID_ARGUMENT),
               ContainsSubstring("matrix is null"));

    const auto create = [&](const fdk_format& format, const void* scale, const char* device) {
        fdk_matrix* made = nullptr;
        const fdk_status status = fdk_matrix_create(
            table.get(), &format, weights.weight_data.data(), scale, nullptr, device, &made);
        CHECK(made == nullptr);
        return status;
    };
    fdk_format other = weights.format;
    other.type = FDK_FP16;
    CHECK_THAT(refusal(create(other, weights.scale.data(), nullptr), FDK_NO_ENTRY),
               ContainsSubstring("n=48 k=256 bits=4 group_size=64 fp16"));
    other = weights.format;
    other.group_size = 100;
    refusal(create(other, weights.scale.data(), nullptr), FDK_INVALID_ARGUMENT);
    CHECK_THAT(refusal(create(weights.format, nullptr, nullptr), FDK_INVALID_ARGUMENT),
               ContainsSubstring("scale is null"));
    CHECK_THAT(refusal(create(weights.format, weights.scale.data(), "cuda:0"), FDK_NO_DEVICE),
               ContainsSubstring("cannot run on cuda:0"));
    CHECK_THAT(refusal(create(weights.format, weights.scale.data(), "tpu"), FDK_NO_DEVICE),
               ContainsSubstring("'tpu' is no device"));
}

TEST_CASE("Weights in the fragment layout multiply as the canonical ones do") {
    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(3, 4));
    const Table table = load(maker.write());
    const Weights canonical = random_weights(problem(3, 4), 7);
    Weights fragments = canonical;
    FragmentMatrix packed = to_fragments(
        {canonical.weight_data, canonical.scale, {}}, problem(3, 4).shape, problem(3, 4).format, 1);
    fragments.format.layout = FDK_FRAGMENT;
    fragments.weight_data = std::move(packed.weight_data);
    fragments.scale = std::move(packed.scale);
    const MatrixHandle first = make_matrix(table.get(), canonical, nullptr);
    const MatrixHandle second = make_matrix(table.get(), fragments, nullptr);
    alignas(16) std::uint16_t x[3 * 256];
    alignas(16) std::uint16_t y[2][3 * 48] = {};
    std::ranges::copy(random_activations(problem(3, 4), 3), x);
    require_ok(fdk_matmul(first.get(), nullptr, x, 3, y[0]));
    require_ok(fdk_matmul(second.get(), nullptr, x, 3, y[1]));
    CHECK(std::ranges::equal(y[0], y[1]));
    CHECK(y[0][0] != 0);
}

TEST_CASE("Kernels for another CPU, or for a GPU that is not there, are not run") {
    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(1, 4));
    const Weights weights = random_weights(problem(1, 4), 7);
    const auto refused = [&] {
        fdk_matrix* matrix = nullptr;
        const Table table = load(maker.write());
        return refusal(fdk_matrix_create(table.get(),
                                         &weights.format,
                                         weights.weight_data.data(),
                                         weights.scale.data(),
                                         nullptr,
                                         nullptr,
                                         &matrix),
                       FDK_NO_DEVICE);
    };
    maker.table.device_name = "Another CPU";
    CHECK_THAT(refused(), ContainsSubstring("Another CPU") && ContainsSubstring(cpu_model()));
    maker.table.device_backend = "cuda";
    maker.table.device_arch = "sm_10a";
    CHECK_FALSE(refused().empty());
}

TEST_CASE("A table that was measured on another device multiplies, and says what differs") {
    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(1, 4));
    const Weights weights = random_weights(problem(1, 4), 7);
    const DeviceInfo here = make_host_backend()->devices().at(0);
    Bundle bundle = read_bundle(maker.write());
    Json& device = bundle.table["device"];
    const auto notice = [&] {
        const TemporaryFile file{std::string_view(to_bytes(bundle))};
        const Table table = load(file.path());
        const char* text = nullptr;
        require_ok(fdk_table_notice(table.get(), nullptr, &text));
        const std::string said = text;
        const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
        CHECK(error_of(matrix.get(), weights, problem(1, 4), 3) < kMaxNrmse);
        require_ok(fdk_table_notice(table.get(), "host", &text));
        CHECK(text == said);
        return said;
    };
    device["units"] = here.units;
    device["cache_bytes"] = here.cache_bytes;
    device["memory_gb_s"] = 100;  // not known here
    CHECK(notice().empty());
    device["units"] = here.units + 1;
    CHECK_THAT(notice(),
               ContainsSubstring(std::to_string(here.units + 1) + " cores, host has " +
                                 std::to_string(here.units) + " cores"));
    for (const char* key : {"units", "cache_bytes", "memory_gb_s"}) {
        device.erase(key);
    }
    CHECK(notice().empty());
}

TEST_CASE("A notice of a device that is not there, or cannot run the kernels, is refused") {
    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(1, 4));
    Table table = load(maker.write());
    const char* notice = "";
    CHECK_THAT(refusal(fdk_table_notice(table.get(), "cuda:0", &notice), FDK_NO_DEVICE),
               ContainsSubstring("cannot run on cuda:0"));
    CHECK(notice == nullptr);
    refusal(fdk_table_notice(table.get(), nullptr, nullptr), FDK_INVALID_ARGUMENT);
    refusal(fdk_table_notice(nullptr, nullptr, &notice), FDK_INVALID_ARGUMENT);
    maker.table.device_name = "Another CPU";
    table = load(maker.write());
    CHECK_THAT(refusal(fdk_table_notice(table.get(), nullptr, &notice), FDK_NO_DEVICE),
               ContainsSubstring("Another CPU"));
}

TEST_CASE("A kernel that cannot be loaded is a device error") {
    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(1, 4));
    maker.table.entries.front().plan.steps.front().kernel = "absent";
    const Table table = load(maker.write());
    const Weights weights = random_weights(problem(1, 4), 7);
    fdk_matrix* matrix = nullptr;
    CHECK_THAT(refusal(fdk_matrix_create(table.get(),
                                         &weights.format,
                                         weights.weight_data.data(),
                                         weights.scale.data(),
                                         nullptr,
                                         nullptr,
                                         &matrix),
                       FDK_DEVICE_ERROR),
               ContainsSubstring("absent"));
}

TEST_CASE("A file that is no table for this library is refused") {
    const auto message = [](const std::string& path) {
        fdk_table* table = nullptr;
        const fdk_status status = fdk_table_load(path.c_str(), &table);
        CHECK(table == nullptr);
        return refusal(status, FDK_BAD_FILE);
    };
    CHECK_THAT(message("/absent/file"), ContainsSubstring("/absent/file"));
    const TemporaryFile foreign(std::string_view("something else"));
    CHECK_THAT(message(foreign.path()), ContainsSubstring("is no bundle"));

    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(1, 4));
    const Bundle good = read_bundle(maker.write());
    const auto changed = [&](const auto& change) {
        Bundle bundle = good;
        change(bundle);
        const TemporaryFile file{std::string_view(to_bytes(bundle))};
        return message(file.path());
    };
    const TemporaryFile cut{std::string_view(to_bytes(good)).substr(0, 5000)};
    CHECK_THAT(message(cut.path()), ContainsSubstring("damaged bundle"));
    CHECK_THAT(changed([](Bundle& bundle) { bundle.table["schema_version"] = 9; }),
               ContainsSubstring("version 9, not 2 to 6"));
    CHECK_THAT(changed([](Bundle& bundle) { bundle.table["schema"] = "other"; }),
               ContainsSubstring("no dispatch table"));
    CHECK_THAT(changed([](Bundle& bundle) { bundle.binaries.clear(); }),
               ContainsSubstring("no kernel"));
    CHECK_FALSE(
        changed([](Bundle& bundle) { bundle.table["entries"][0].erase("launch"); }).empty());
    CHECK_FALSE(changed([](Bundle& bundle) { bundle.table["entries"][0]["m"] = 0; }).empty());
    CHECK_FALSE(changed([](Bundle& bundle) { bundle.table["entries"][0]["k"] = "x"; }).empty());
    CHECK_FALSE(changed([](Bundle& bundle) { bundle.table["device"]["units"] = "x"; }).empty());
    CHECK_THAT(changed([](Bundle& bundle) { bundle.table["entries"][0]["first_m"] = 0; }),
               ContainsSubstring("for 0 to"));
    CHECK_THAT(changed([](Bundle& bundle) { bundle.table["entries"][0]["last_m"] = 0; }),
               ContainsSubstring("for 1 to 0"));
    CHECK_THAT(
        changed([](Bundle& bundle) { bundle.table["entries"][0]["launch"].erase("tiling"); }),
        ContainsSubstring("cannot be for 1 to"));
    CHECK_THAT(changed([](Bundle& bundle) {
                   bundle.table["entries"][0]["launch"]["tiling"]["m_tile"] = 0;
               }),
               ContainsSubstring("tiling of 0 rows"));
    CHECK_FALSE(changed([](Bundle& bundle) { bundle.table = 3; }).empty());
    CHECK(fdk_table_load(nullptr, nullptr) == FDK_INVALID_ARGUMENT);
}

TEST_CASE("Kernels for the former order of 2-bit fragments are refused") {
    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(1, 4));
    const Bundle good = read_bundle(maker.write());
    const auto loaded = [&](int version, int bits) {
        Bundle bundle = good;
        bundle.table["schema_version"] = version;
        bundle.table["entries"][0]["layout"] = "fragment";
        bundle.table["entries"][0]["bits"] = bits;
        const TemporaryFile file{std::string_view(to_bytes(bundle))};
        fdk_table* table = nullptr;
        const fdk_status status = fdk_table_load(file.path().c_str(), &table);
        fdk_table_free(table);
        return status;
    };
    CHECK(loaded(3, 2) == FDK_BAD_FILE);
    CHECK_THAT(fdk_last_error(), ContainsSubstring("another order of 2-bit weights"));
    CHECK(loaded(3, 4) == FDK_OK);
    CHECK(loaded(4, 2) == FDK_OK);
}

TEST_CASE("Matrices of one table multiply from several threads, and know their errors apart") {
    BundleMaker maker = host_maker();
    maker.add("host_lut", problem(4, 4));
    maker.add("host_lut", problem(4, 2));
    const Table table = load(maker.write());
    std::vector<std::thread> threads;
    std::vector<double> errors(4, 1);
    std::vector<int> changed(4);
    std::vector<std::string> messages(4);
    for (unsigned i = 0; i < errors.size(); ++i) {
        threads.emplace_back([&, i] {
            const Problem mine = problem(4, i % 2 == 0 ? 4 : 2);
            const Weights weights = random_weights(mine, i);
            const MatrixHandle matrix = make_matrix(table.get(), weights, nullptr);
            const auto x = random_activations(mine, i);
            Place from(x.size());
            std::ranges::copy(x, from.values);
            Place to(4 * 48);
            const auto multiply = [&] {
                std::fill_n(to.values, 4 * 48, 0xffff);
                fdk_matmul(matrix.get(), nullptr, from.values, 4, to.values);
                return std::vector<std::uint16_t>(to.values, to.values + 4 * 48);
            };
            const auto first = multiply();
            errors[i] = nrmse(first, x, weights, mine);
            for (int launch = 0; launch < 500; ++launch) {
                changed[i] += multiply() == first ? 0 : 1;
            }
            fdk_matmul(matrix.get(), nullptr, nullptr, -100 - std::int64_t{i}, nullptr);
            messages[i] = fdk_last_error();
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (std::size_t i = 0; i < errors.size(); ++i) {
        CHECK(errors[i] < kMaxNrmse);
        CHECK(changed[i] == 0);
        CHECK_THAT(messages[i], ContainsSubstring("m=-" + std::to_string(100 + i)));
    }
}
