#include "tests/worker/fake_backend.hpp"

#include "src/core/error.hpp"
#include "src/core/fragment.hpp"
#include "src/core/half.hpp"
#include "src/core/quantise.hpp"

#include <cstdio>
#include <cstring>
#include <limits>
#include <new>
#include <numeric>

namespace fdkbench {
namespace {

/// What a candidate does, by the name of its binary.
namespace trick {
constexpr const char* kWritesBehind = "writes_behind";
constexpr const char* kLeavesLast = "leaves_last";
constexpr const char* kWrongWhenRagged = "wrong_when_ragged";
constexpr const char* kWrongForHalf = "wrong_for_half";
constexpr const char* kWrongForOneLess = "wrong_for_one_less";
constexpr const char* kIgnoresM = "ignores_m";
constexpr const char* kNan = "nan";
constexpr const char* kOff = "off";
constexpr const char* kUnrepeatable = "unrepeatable";
constexpr const char* kWrongSecondTime = "wrong_second_time";
constexpr const char* kLoadFails = "load_fails";
constexpr const char* kLaunchFails = "launch_fails";
constexpr const char* kFaults = "faults";
constexpr const char* kFaultsLater = "faults_later";
constexpr const char* kFaultsInRecord = "faults_in_record";
constexpr const char* kLoadLacks = "load_lacks";
constexpr const char* kLaunchLacks = "launch_lacks";
constexpr const char* kRecordLacks = "record_lacks";
constexpr const char* kNeedsZeros = "needs_zeros";
constexpr const char* kSlow = "slow";
constexpr const char* kReadsFragments = "reads_fragments";
}  // namespace trick

/// Of a candidate, before it is raced.
constexpr int kReplaysOfCheck = 4;

class FakeBuffer : public Buffer {
  public:
    FakeBuffer(std::shared_ptr<FakeState> state, std::size_t bytes)
        : state_(std::move(state)),
          data_(static_cast<std::byte*>(::operator new(bytes, std::align_val_t(256)))),
          bytes_(bytes) {
        state_->live_bytes += bytes;
        state_->peak_bytes = std::max(state_->peak_bytes, state_->live_bytes);
    }
    ~FakeBuffer() override {
        ::operator delete(data_, std::align_val_t(256));
        state_->live_bytes -= bytes_;
    }
    FakeBuffer(const FakeBuffer&) = delete;
    FakeBuffer& operator=(const FakeBuffer&) = delete;
    [[nodiscard]] void* data() const override { return data_; }
    [[nodiscard]] std::size_t bytes() const override { return bytes_; }

  private:
    std::shared_ptr<FakeState> state_;
    std::byte* data_;
    std::size_t bytes_;
};

std::byte* at(const Buffer& buffer, std::size_t offset = 0) {
    return static_cast<std::byte*>(buffer.data()) + offset;
}

template <typename T>
std::vector<T> read(const void* from, std::int64_t count) {
    const auto* begin = static_cast<const T*>(from);
    return std::vector<T>(begin, begin + count);
}

std::vector<float> to_floats(const void* values, std::int64_t count, ElementType type) {
    std::vector<float> floats;
    for (const std::uint16_t bits : read<std::uint16_t>(values, count)) {
        floats.push_back(from_bits16(bits, type));
    }
    return floats;
}

void multiply(std::span<const float> x,
              std::span<const float> w,
              std::span<float> y,
              const Shape& shape) {
    const auto k = static_cast<std::size_t>(shape.k);
    const auto n = static_cast<std::size_t>(shape.n);
    for (std::size_t i = 0; i < y.size(); ++i) {
        const auto row = x.subspan(i / n * k, k);
        y[i] = static_cast<float>(
            std::inner_product(row.begin(), row.end(), w.begin() + (i % n) * k, 0.0));
    }
}

class FakeRunnable : public Runnable {
  public:
    FakeRunnable(std::shared_ptr<FakeState> state,
                 Problem problem,
                 std::string name,
                 std::uint64_t workspace_bytes)
        : state_(std::move(state)),
          problem_(problem),
          name_(std::move(name)),
          workspace_bytes_(workspace_bytes) {}

    void launch(const Arguments& arguments) override {
        if (is(trick::kLaunchFails)) {
            throw CandidateError(CandidateStatus::kRuntime, "too many threads");
        }
        if (is(trick::kLaunchLacks)) {
            throw EnvironmentError("no algorithm");
        }
        state_->lost = state_->lost || is(trick::kFaults);
        ++launches_;
        std::vector<float> y = product(arguments);
        spoil(y, arguments.m);
        if (is(trick::kNeedsZeros) && *static_cast<const char*>(arguments.workspace) != 0) {
            y[0] += 100;
        }
        store(y, arguments);
    }

    [[nodiscard]] KernelResources resources() const override { return {.registers = 32}; }
    [[nodiscard]] std::uint64_t workspace_bytes() const override { return workspace_bytes_; }
    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] bool is(const char* trick) const { return name_ == trick; }

  private:
    [[nodiscard]] std::vector<float> product(const Arguments& arguments) const {
        Shape shape = problem_.shape;
        shape.m = is(trick::kIgnoresM) ? shape.m : arguments.m;
        const WeightFormat& format = problem_.format;
        std::vector<float> w(static_cast<std::size_t>(shape.n * shape.k));
        if (format.quantised()) {
            dequantise(quantised(arguments), shape, format, problem_.type, w, 1);
        } else {
            w = to_floats(arguments.w, shape.n * shape.k, problem_.type);
        }
        std::vector<float> y(static_cast<std::size_t>(shape.m * shape.n));
        multiply(to_floats(arguments.x, shape.m * shape.k, problem_.type), w, y, shape);
        return y;
    }

    [[nodiscard]] QuantisedMatrix quantised(const Arguments& arguments) const {
        const auto& [shape, format, type] = problem_;
        auto codebook = read<std::uint16_t>(arguments.codebook, std::int64_t{1} << format.bits);
        if (is(trick::kReadsFragments)) {
            const FragmentMatrix fragments{
                read<std::uint8_t>(arguments.w, fragment_weight_bytes(shape, format)),
                read<std::uint16_t>(arguments.scales, fragment_scales(shape, format)),
                std::move(codebook)};
            return from_fragments(fragments, shape, format, 1);
        }
        return {read<std::uint8_t>(arguments.w, problem_.weight_bytes()),
                read<std::uint16_t>(arguments.scales, problem_.scale_bytes() / 2),
                std::move(codebook)};
    }

    /// Plants the fault that the name asks for.
    void spoil(std::vector<float>& y, std::int64_t m) const {
        if (is(trick::kNan)) {
            y[3] = std::numeric_limits<float>::quiet_NaN();
        }
        if (is(trick::kOff)) {
            for (float& value : y) {
                value *= 1.02F;
            }
        }
        const bool half = is(trick::kWrongForHalf) && m <= problem_.shape.m / 2 + 1;
        const bool one_less = is(trick::kWrongForOneLess) && m == problem_.shape.m - 1;
        if (half || one_less || (is(trick::kWrongWhenRagged) && m != problem_.shape.m)) {
            y[1] = -y[1];
        }
        if (is(trick::kUnrepeatable)) {
            y[0] *= launches_ % 2 == 0 ? 1.01F : 1.0F;
        }
        if (is(trick::kWrongSecondTime) && launches_ == 2) {
            y[0] += 10;
        }
        if (is(trick::kWritesBehind)) {
            y.push_back(1);
        }
    }

    void store(const std::vector<float>& y, const Arguments& arguments) const {
        auto* out = static_cast<std::uint16_t*>(arguments.y);
        const std::size_t count = y.size() - (is(trick::kLeavesLast) ? 1 : 0);
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = to_bits16(y[i], problem_.type);
        }
    }

    std::shared_ptr<FakeState> state_;
    Problem problem_;
    std::string name_;
    std::uint64_t workspace_bytes_;
    int launches_ = 0;
};

class FakeReplay : public Replay {
  public:
    FakeReplay(std::shared_ptr<FakeState> state, const FakeRunnable& runnable, double time_us)
        : state_(std::move(state)), runnable_(runnable), time_us_(time_us) {}
    double time_us() override {
        state_->replayed.push_back(runnable_.name());
        if (runnable_.is(trick::kFaultsLater) &&
            std::ranges::count(state_->replayed, runnable_.name()) > kReplaysOfCheck) {
            state_->lost = true;
            throw CandidateError(CandidateStatus::kRuntime, "illegal address");
        }
        return time_us_;
    }

  private:
    std::shared_ptr<FakeState> state_;
    const FakeRunnable& runnable_;
    double time_us_;
};

class FakeBackend : public Backend {
  public:
    explicit FakeBackend(std::shared_ptr<FakeState> state) : state_(std::move(state)) {
        ++state_->backends;
    }

    std::vector<DeviceInfo> devices() override {
        if (state_->noisy) {
            std::printf("a library says hello\n");
            std::fflush(stdout);
        }
        std::vector<DeviceInfo> all(2);
        all[0].id = "fake:0";
        all[1].id = "fake:1";
        all[0].cache_bytes = all[1].cache_bytes = kFakeCacheBytes;
        all[0].compute_capability = all[1].compute_capability = state_->compute_capability;
        return all;
    }
    void open(std::size_t index) override {
        if (index >= 2) {
            throw EnvironmentError("no device " + std::to_string(index));
        }
        if (state_->live_bytes != 0) {
            throw std::logic_error("memory of the old device is still held");
        }
        state_->opened.push_back(index);
    }

    std::unique_ptr<Buffer> allocate(std::size_t bytes) override {
        if (state_->live_bytes + bytes > state_->memory_bytes) {
            throw EnvironmentError("out of memory");
        }
        return std::make_unique<FakeBuffer>(state_, bytes);
    }
    void upload(Buffer& to, std::size_t offset, std::span<const std::byte> from) override {
        std::memcpy(at(to, offset), from.data(), from.size());
    }
    void download(std::span<std::byte> to, const Buffer& from, std::size_t offset) override {
        std::memcpy(to.data(), at(from, offset), to.size());
    }
    void copy(Buffer& to, const Buffer& from) override {
        std::memcpy(at(to), at(from), std::min(to.bytes(), from.bytes()));
    }
    void fill(Buffer& to, std::byte value) override {
        std::memset(at(to), static_cast<int>(value), to.bytes());
    }
    std::unique_ptr<Buffer> hold(std::span<const std::byte> from) override {
        ++state_->held;
        return Backend::hold(from);
    }
    void synchronize() override {
        if (state_->lost) {
            throw CandidateError(CandidateStatus::kRuntime, "illegal address");
        }
    }

    std::unique_ptr<Runnable> load(const std::filesystem::path& binary,
                                   const LaunchPlan& plan,
                                   const Problem& problem,
                                   LaunchMode mode) override {
        if (binary.filename() == trick::kLoadFails) {
            throw CandidateError(CandidateStatus::kConstraints, "too much shared memory");
        }
        if (binary.filename() == trick::kLoadLacks) {
            throw EnvironmentError("no algorithm");
        }
        state_->modes.push_back(mode);
        return std::make_unique<FakeRunnable>(
            state_, problem, binary.filename().string(), plan.workspace_bytes);
    }
    std::vector<std::unique_ptr<Runnable>> baselines(const Problem& problem) override {
        Problem plain = problem;
        plain.format = WeightFormat{};
        std::vector<std::unique_ptr<Runnable>> all;
        for (std::size_t i = 0; i < state_->baseline_us.size(); ++i) {
            all.push_back(std::make_unique<FakeRunnable>(
                state_, plain, "algorithm " + std::to_string(i + 1), 1000));
        }
        return all;
    }
    std::unique_ptr<Replay> record(Runnable& runnable,
                                   std::span<const Arguments> rotation) override {
        state_->recorded.emplace_back(rotation.begin(), rotation.end());
        const auto& fake = dynamic_cast<const FakeRunnable&>(runnable);
        if (fake.is(trick::kRecordLacks)) {
            throw EnvironmentError("no algorithm");
        }
        if (fake.is(trick::kFaultsInRecord)) {
            state_->lost = true;
            throw CandidateError(CandidateStatus::kRuntime, "cannot capture: illegal address");
        }
        double time_us = fake.is(trick::kSlow) ? kFakeSlowUs : kFakeCandidateUs;
        if (fake.name().starts_with("algorithm ")) {
            time_us = state_->baseline_us.at(fake.name().back() - '1');
        }
        if (time_us == 0) {
            throw CandidateError(CandidateStatus::kRuntime, "not supported");
        }
        return std::make_unique<FakeReplay>(state_, fake, time_us);
    }

    void reference(std::span<const float> x,
                   const Buffer& w,
                   std::span<float> y,
                   const Shape& shape) override {
        multiply(x, {static_cast<const float*>(w.data()), w.bytes() / sizeof(float)}, y, shape);
    }
    void rest(double time_us) override { state_->rested_us += time_us; }
    Conditions conditions() override {
        Conditions now;
        now.sm_clock_mhz = 1500;
        return now;
    }
    std::optional<int> compute_processes() override { return state_->compute_processes; }
    std::optional<double> energy_uj() override {
        return state_->counts_energy ? std::optional(state_->energy_uj += 7) : std::nullopt;
    }
    double empty_launch_us() override { return 0.5; }
    double read_floor_us(std::int64_t bytes) override { return static_cast<double>(bytes) / 1e4; }
    double matmul_tflop_s() override { return 1; }
    std::vector<Ceiling> ceilings() override { return {{"launch", 0, 2, "us"}}; }

  private:
    std::shared_ptr<FakeState> state_;
};

class FakeCompiler : public KernelCompiler {
  public:
    std::string version() override { return "fakecc 1"; }
    CompileOutput compile(const EmbeddedFile& source,
                          std::span<const EmbeddedFile> /*headers*/,
                          std::span<const std::string> options,
                          const std::string& arch) override {
        std::string text = source.path + " " + arch;
        for (const std::string& option : options) {
            if (option == "-DBAD") {
                return {false, {}, "kernel.cu(1): error: BAD \xff"};
            }
            text += " " + option;
        }
        const auto bytes = std::as_bytes(std::span(text));
        return {true, {bytes.begin(), bytes.end()}, ""};
    }
};

}  // namespace

std::unique_ptr<Backend> make_fake_backend(std::shared_ptr<FakeState> state) {
    return std::make_unique<FakeBackend>(std::move(state));
}

std::unique_ptr<KernelCompiler> make_fake_compiler() {
    return std::make_unique<FakeCompiler>();
}

WorkerParts fake_parts(std::shared_ptr<FakeState> state) {
    return {.backend = "fake",
            .make_backend = [state] { return make_fake_backend(state); },
            .make_compiler = make_fake_compiler,
            .versions =
                [] {
                    return Versions{{"libfake", "7"}};
                }};
}

Problem small_problem() {
    return {.shape = {.m = 3, .n = 24, .k = 128}, .format = {.bits = 4, .group_size = 64}};
}

}  // namespace fdkbench
