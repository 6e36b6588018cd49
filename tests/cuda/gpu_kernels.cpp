#include "src/cuda/probe_kernels.hpp"
#include "tests/cuda/gpu.hpp"

using namespace fdkbench;
using namespace fdkbench::test;

namespace {

const std::string kIndex = "const int i = blockIdx.x * blockDim.x + threadIdx.x;\n";

}  // namespace

TEST_CASE("A kernel gets every argument in its place") {
    const auto kernel =
        load_kernel(kernel_text(kIndex + "((int*)y)[i] = ((const int*)x)[i] + "
                                         "10 * *(const int*)w + 100 * *(const int*)scales + "
                                         "1000 * *(const int*)codebook + "
                                         "10000 * *(int*)workspace + 100000 * m;"),
                    one_step(2, 2));
    const auto x = to_gpu(std::vector<int>{1, 2, 3, 4});
    const auto two = to_gpu(std::vector<int>{2});
    const auto three = to_gpu(std::vector<int>{3});
    const auto four = to_gpu(std::vector<int>{4});
    const auto five = to_gpu(std::vector<int>{5});
    const auto y = to_gpu(std::vector<int>{0, 0, 0, 0});
    kernel->launch(
        {x->data(), two->data(), three->data(), four->data(), y->data(), five->data(), 6});
    gpu().synchronize();
    CHECK(from_gpu<int>(*y) == std::vector<int>{654321, 654322, 654323, 654324});
    CHECK(kernel->name() == "test");
    CHECK(kernel->resources().registers > 0);
}

TEST_CASE("The steps of a plan run in order") {
    LaunchPlan plan = one_step(1, 1);
    plan.steps.push_back(plan.steps.front());
    plan.workspace_bytes = 256;
    const auto kernel = load_kernel(kernel_text("*(int*)y = 3 * *(int*)y + 1;"), plan);
    CHECK(kernel->workspace_bytes() == 256);
    const auto y = to_gpu(std::vector<int>{1});
    Arguments arguments;
    arguments.y = y->data();
    kernel->launch(arguments);
    CHECK(from_gpu<int>(*y).front() == 13);
}

TEST_CASE("Shared memory may reach the device's limit and no further") {
    const auto limit = static_cast<std::uint32_t>((gpu(), gpu_info().shared_bytes_per_block));
    const std::string text = kernel_text(
        "extern __shared__ int memory[];\n"
        "memory[m / 4 - 1] = 42;\n"
        "*(int*)y = memory[m / 4 - 1];");
    const auto kernel = load_kernel(text, one_step(1, 1, limit));
    const auto y = to_gpu(std::vector<int>{0});
    Arguments arguments;
    arguments.y = y->data();
    arguments.m = static_cast<std::int32_t>(limit);
    kernel->launch(arguments);
    CHECK(from_gpu<int>(*y).front() == 42);
    CHECK(kernel->resources().shared_bytes == limit);

    const auto error = candidate_error([&] { load_kernel(text, one_step(1, 1, limit + 4)); });
    CHECK(error.status() == CandidateStatus::kConstraints);
    CHECK_THAT(error.what(), ContainsSubstring(std::to_string(limit + 4)));
    CHECK_THAT(error.what(), ContainsSubstring("has " + std::to_string(limit)));
}

TEST_CASE("More threads than a kernel can have break a constraint") {
    gpu();
    const std::string text = kernel_text("*(int*)y = m;", "__launch_bounds__(64)");
    CHECK_NOTHROW(load_kernel(text, one_step(1, 64)));
    const auto error = candidate_error([&] { load_kernel(text, one_step(1, 128)); });
    CHECK(error.status() == CandidateStatus::kConstraints);
    CHECK_THAT(error.what(), ContainsSubstring("128 threads"));
    CHECK_THAT(error.what(), ContainsSubstring("at most 64"));
}

TEST_CASE("Blocks form clusters where the device has them") {
    LaunchPlan plan = one_step(4, 32);
    plan.steps.front().cluster = 2;
    const std::string text = (gpu(), gpu_info().compute_capability < 90)
                                 ? kernel_text("")
                                 : kernel_text(
                                       "unsigned rank, size;\n"
                                       "asm(\"mov.u32 %0, %%cluster_ctarank;\" : \"=r\"(rank));\n"
                                       "asm(\"mov.u32 %0, %%cluster_nctarank;\" : \"=r\"(size));\n"
                                       "((int*)y)[blockIdx.x] = 10 * size + rank;");
    if (gpu_info().compute_capability < 90) {
        const auto error = candidate_error([&] { load_kernel(text, plan); });
        CHECK(error.status() == CandidateStatus::kConstraints);
        return;
    }
    const auto y = to_gpu(std::vector<int>(4));
    Arguments arguments;
    arguments.y = y->data();
    load_kernel(text, plan)->launch(arguments);
    CHECK(from_gpu<int>(*y) == std::vector<int>{20, 21, 20, 21});

    plan.steps.front().cluster = 64;
    plan.steps.front().grid = {64, 1, 1};
    const auto error = candidate_error([&] { load_kernel(text, plan); });
    CHECK(error.status() == CandidateStatus::kConstraints);
    CHECK_THAT(error.what(), ContainsSubstring("clusters of 64"));
}

TEST_CASE("A kernel that is missing or no cubin is a runtime failure of the candidate") {
    gpu();
    LaunchPlan plan = one_step(1, 1);
    plan.steps.front().kernel = "other";
    const auto missing = candidate_error([&] { load_kernel(kernel_text(""), plan); });
    CHECK(missing.status() == CandidateStatus::kRuntime);
    CHECK_THAT(missing.what(), ContainsSubstring("other"));

    const TemporaryFile file(std::vector<std::byte>(1000));
    const auto garbage =
        candidate_error([&] { gpu().load(file.path(), one_step(1, 1), {}, LaunchMode::kPlain); });
    CHECK(garbage.status() == CandidateStatus::kRuntime);
    const auto absent =
        candidate_error([&] { gpu().load("/absent", one_step(1, 1), {}, LaunchMode::kPlain); });
    CHECK_THAT(absent.what(), ContainsSubstring("/absent"));
}

TEST_CASE("A launch that the driver refuses leaves the device usable") {
    const auto kernel = (gpu(), load_kernel(kernel_text("*(int*)y = m;"), one_step(0, 1)));
    const auto error = candidate_error([&] { kernel->launch({}); });
    CHECK(error.status() == CandidateStatus::kRuntime);

    class FailsWhenRecorded final : public Runnable {
      public:
        explicit FailsWhenRecorded(Runnable& failing) : failing_(failing) {}
        void launch(const Arguments& arguments) override {
            if (launches_++ > 0) {
                failing_.launch(arguments);
            }
        }
        [[nodiscard]] KernelResources resources() const override { return {}; }
        [[nodiscard]] std::uint64_t workspace_bytes() const override { return 0; }
        [[nodiscard]] std::string name() const override { return "fails"; }

      private:
        Runnable& failing_;
        int launches_ = 0;
    } failing(*kernel);
    const std::vector<Arguments> rotation(3);
    CHECK_THROWS_AS(gpu().record(failing, rotation), CandidateError);
    CHECK(from_gpu<int>(*to_gpu(std::vector<int>{5})) == std::vector<int>{5});
}

TEST_CASE("The read kernels read every word, and no word beyond the end") {
    gpu();
    const int unroll = GENERATE(from_range(std::begin(kReadUnrolls), std::end(kReadUnrolls)));
    const std::uint32_t block = 256;
    const std::uint32_t grid = GENERATE(7u, 40u);
    const std::size_t words = 10'007;
    LaunchPlan plan = one_step(grid, block);
    plan.steps.front().kernel = "read_" + std::to_string(unroll);
    const auto kernel = load_kernel(probe_source().text, plan);

    const std::size_t position = GENERATE(0u, 1u, 4'999u, 10'006u, 10'007u);
    INFO("read_" << unroll << ", grid " << grid << ", word " << position);
    std::vector<unsigned> data(4 * words + 4);
    data[4 * position + position % 4] = kReadMagic;
    const auto w = to_gpu(data);
    const auto y = to_gpu(std::vector<unsigned>{0});
    Arguments arguments;
    arguments.w = w->data();
    arguments.x = static_cast<const std::byte*>(w->data()) + 16 * words;
    arguments.y = y->data();
    arguments.m = static_cast<std::int32_t>((words / grid + 8) / 8 * 8);
    kernel->launch(arguments);
    CHECK(from_gpu<unsigned>(*y).front() == (position < words ? kReadMagic : 0));
}
