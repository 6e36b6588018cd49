#include "src/core/half.hpp"
#include "src/worker/device_data.hpp"
#include "tests/cuda/gpu.hpp"
#include "tests/kernels/compile.hpp"
#include "tests/kernels/patched.hpp"

#include <algorithm>
#include <cmath>

using namespace fdkbench;
using namespace fdkbench::test;
using namespace fdkbench::testing;

namespace {

using Elements = std::vector<std::uint16_t>;

void require_dependent_launches() {
    gpu();
    if (gpu_info().compute_capability < 90) {
        skip_program("the device has no dependent launches");
    }
}

bool all_finite(const Elements& elements) {
    return std::ranges::all_of(elements, [](std::uint16_t element) {
        return std::isfinite(from_bits16(element, ElementType::kBf16));
    });
}

/// A family that waits for its predecessor, on bits and a number of tokens that it takes, and where
/// its source waits.
struct Waiting {
    std::string family;
    std::vector<int> bits;
    std::int64_t m;
    std::string wait;
    std::string hasty;  // takes the wait's place where it should be missing
};

const std::vector<Waiting>& waiting() {
    const std::string copies = "activations();\n";
    const std::string waits = "wait_for_predecessors();\n";
    static const std::vector<Waiting> all{
        {"dense_wgmma", {16}, 20, waits + "        " + copies, copies},
        {"fragment_imma", {2, 1}, 3, "    " + waits, ""},
        {"fragment_mma", {4, 8, 2, 1}, 3, "    " + waits, ""},
        {"fragment_ring", {4, 8, 2, 1}, 3, waits + "        " + copies, copies},
        {"fragment_wgmma", {4, 8, 2, 1}, 20, waits + "        " + copies, copies},
    };
    return all;
}

/// n = k, so that an output can be the next launch's input.
Problem problem_of(const Waiting& kernel, int bits) {
    return {{kernel.m, 1024, 1024}, {bits, bits == 16 ? 0 : 64}, ElementType::kBf16};
}

/// The best guess of a family, from its source or from a changed one.
std::unique_ptr<Runnable> load_multiply(const Family& family,
                                        const Problem& problem,
                                        LaunchMode mode,
                                        const KernelSource& source) {
    const Params params = first_values(family.axes(problem, gpu_info()));
    const auto compiler = make_nvrtc_compiler();
    const CompileOutput output = compile_source(*compiler, source, problem, params, gpu_info());
    INFO(output.log);
    REQUIRE(output.ok);
    const TemporaryFile file(output.binary);
    return gpu().load(file.path(), family.plan(problem, params, gpu_info()), problem, mode);
}

std::unique_ptr<Runnable> load_multiply(const Waiting& kernel,
                                        const Problem& problem,
                                        LaunchMode mode) {
    const Family& family = family_named(kernel.family);
    return load_multiply(family, problem, mode, kernel_source(family));
}

/// Lets its dependents begin, then takes its time before it writes the m elements of y.
std::unique_ptr<Runnable> load_slow_copy() {
    return load_kernel(
        kernel_text("asm volatile(\"griddepcontrol.launch_dependents;\");\n"
                    "const long long start = clock64();\n"
                    "while (clock64() - start < 200000) {\n}\n"
                    "for (int i = threadIdx.x; i < m; i += blockDim.x) {\n"
                    "    ((unsigned short*)y)[i] = ((const unsigned short*)x)[i];\n}"),
        one_step(1, 128));
}

/// A problem's data, and memory for another x and for y.
struct Data {
    explicit Data(const Problem& problem) {
        host.prepare(problem, InputsKey({}));
        device.prepare(problem, InputsKey({}), host, 0);
        given = device.candidate_rotation(Layout::kFragment, nullptr).front();
        elements = static_cast<std::size_t>(problem.shape.m * problem.shape.k);
        for (auto* buffer : {&first, &second}) {
            *buffer = gpu().allocate(elements * sizeof(std::uint16_t));
        }
    }
    [[nodiscard]] Arguments from_to(const void* x, const std::unique_ptr<Buffer>& y) const {
        Arguments arguments = given;
        arguments.x = x;
        arguments.y = y->data();
        return arguments;
    }

    HostData host;
    DeviceData device{gpu()};
    Arguments given;
    std::size_t elements = 0;
    std::unique_ptr<Buffer> first;
    std::unique_ptr<Buffer> second;
};

/// A slow copy of the given x to `first`, then its product.
class CopyThenMultiply final : public Runnable {
  public:
    CopyThenMultiply(const Data& data, Runnable& multiply) : data_(data), multiply_(multiply) {}
    void launch(const Arguments& /*arguments*/) override {
        Arguments copied = data_.from_to(data_.given.x, data_.first);
        copied.m = static_cast<std::int32_t>(data_.elements);
        copy_->launch(copied);
        multiply_.launch(data_.from_to(data_.first->data(), data_.second));
    }
    [[nodiscard]] KernelResources resources() const override { return {}; }
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return 0; }
    [[nodiscard]] std::string name() const override { return "copy, multiply"; }

  private:
    const Data& data_;
    Runnable& multiply_;
    std::unique_ptr<Runnable> copy_ = load_slow_copy();
};

void forget(const Data& data) {
    gpu().fill(*data.first, std::byte{0xff});
    gpu().fill(*data.second, std::byte{0xff});
    gpu().synchronize();
}

/// The product behind the slow copy, in a graph or launched one by one.
Elements behind_slow_copy(const Data& data, Runnable& multiply, bool in_graph) {
    CopyThenMultiply both(data, multiply);
    const std::vector<Arguments> once(1);
    const auto replay = in_graph ? gpu().record(both, once) : nullptr;
    forget(data);
    if (in_graph) {
        replay->time_us();
    } else {
        both.launch({});
    }
    return from_gpu<std::uint16_t>(*data.second);
}

/// x of the given data multiplied again and again, a launch for each time, in one graph.
Elements multiplied_in_chain(const Data& data, Runnable& multiply) {
    std::vector<Arguments> chain{data.from_to(data.given.x, data.first)};
    for (int i = 0; i < 4; ++i) {
        chain.push_back(data.from_to(data.first->data(), data.second));
        chain.push_back(data.from_to(data.second->data(), data.first));
    }
    const auto replay = gpu().record(multiply, chain);
    forget(data);
    replay->time_us();
    return from_gpu<std::uint16_t>(*data.first);
}

}  // namespace

TEST_CASE("A dependent kernel takes what its predecessor writes late") {
    require_dependent_launches();
    const Waiting& kernel = GENERATE(from_range(waiting()));
    const int bits = GENERATE_COPY(from_range(kernel.bits));
    const bool in_graph = GENERATE(false, true);
    CAPTURE(kernel.family, bits, in_graph);
    const Problem problem = problem_of(kernel, bits);
    const Data data(problem);
    const auto plain = load_multiply(kernel, problem, LaunchMode::kPlain);
    const auto dependent = load_multiply(kernel, problem, LaunchMode::kDependent);
    forget(data);
    plain->launch(data.from_to(data.given.x, data.second));
    const auto expected = from_gpu<std::uint16_t>(*data.second);
    CHECK(all_finite(expected));
    for (int i = 0; i < 10; ++i) {
        CHECK(behind_slow_copy(data, *dependent, in_graph) == expected);
    }
}

TEST_CASE(
    "In a graph, a dependent kernel that does not wait begins too early, a plain one cannot") {
    require_dependent_launches();
    const Waiting& kernel = GENERATE(from_range(waiting()));
    CAPTURE(kernel.family);
    const Problem problem = problem_of(kernel, kernel.bits.front());
    const Data data(problem);
    const Family& family = family_named(kernel.family);
    const KernelSource hasty = patched(family, kernel.wait, kernel.hasty);
    const auto plain = load_multiply(family, problem, LaunchMode::kPlain, hasty);
    const auto dependent = load_multiply(family, problem, LaunchMode::kDependent, hasty);
    const Elements expected = behind_slow_copy(data, *plain, true);
    CHECK(all_finite(expected));
    CHECK(behind_slow_copy(data, *dependent, true) != expected);
}

TEST_CASE("A chain of dependent launches gives what plain launches give") {
    require_dependent_launches();
    const Waiting& kernel = GENERATE(from_range(waiting()));
    const int bits = GENERATE_COPY(from_range(kernel.bits));
    CAPTURE(kernel.family, bits);
    const Problem problem = problem_of(kernel, bits);
    const Data data(problem);
    const auto plain = load_multiply(kernel, problem, LaunchMode::kPlain);
    const auto dependent = load_multiply(kernel, problem, LaunchMode::kDependent);
    const Elements expected = multiplied_in_chain(data, *plain);
    CHECK(all_finite(expected));
    for (int i = 0; i < 10; ++i) {
        CHECK(multiplied_in_chain(data, *dependent) == expected);
    }
}
