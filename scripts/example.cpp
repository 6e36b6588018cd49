// Multiplies with a table's kernels and compares with a product of floats:
//     example BUNDLE [M]
// BUNDLE: a table with n = 96, k = 512 at 4 bits in groups of 64, for the CPU, or built with
// -DEXAMPLE_ON_GPU for a GPU. M: rows of x, 5 where it is not given.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fdk.h>
#include <memory>
#include <new>
#include <random>
#include <vector>

#ifdef EXAMPLE_ON_GPU
#include <cuda_runtime_api.h>

/// Memory that both CPU and GPU see.
template <class T>
struct Shared {
    using value_type = T;
    T* allocate(std::size_t size) {
        void* memory = nullptr;
        if (cudaMallocManaged(&memory, size * sizeof(T), cudaMemAttachGlobal) != cudaSuccess) {
            throw std::bad_alloc();
        }
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t) { cudaFree(memory); }
    bool operator==(const Shared&) const = default;
};
bool finished() {
    return cudaDeviceSynchronize() == cudaSuccess;
}
#else
template <class T>
using Shared = std::allocator<T>;
bool finished() {
    return true;
}
#endif
using Elements = std::vector<uint16_t, Shared<uint16_t>>;

void ok(fdk_status status) {
    if (status != FDK_OK) {
        std::fprintf(stderr, "example: %s\n", fdk_last_error());
        std::exit(1);
    }
}

uint16_t to_bf16(float value) {
    return static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16);
}

float to_float(uint16_t bf16) {
    return std::bit_cast<float>(static_cast<uint32_t>(bf16) << 16);
}

/// ‖y − x · wᵀ‖ ÷ ‖x · wᵀ‖.
double error(const Elements& y,
             const Elements& x,
             const std::vector<float>& w,
             const fdk_format& format) {
    double difference = 0;
    double all = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        const std::size_t row = i / format.n * format.k;
        const std::size_t column = i % format.n * format.k;
        double exact = 0;
        for (int64_t j = 0; j < format.k; ++j) {
            exact += static_cast<double>(to_float(x[row + j])) * w[column + j];
        }
        difference += std::pow(to_float(y[i]) - exact, 2);
        all += exact * exact;
    }
    return std::sqrt(difference / all);
}

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: example BUNDLE [M]\n", stderr);
        return 2;
    }
    const fdk_format format{
        .n = 96, .k = 512, .group_size = 64, .bits = 4, .type = FDK_BF16, .layout = FDK_CANONICAL};
    const int64_t m = argc > 2 ? std::atoll(argv[2]) : 5;
    std::vector<float> w(96 * 512);
    Elements x(m * 512), y(m * 96);
    std::vector<uint16_t> scale(96 * 512 / 64);
    std::vector<uint8_t> weight_data(96 * 512 / 2);
    std::mt19937 random;
    std::normal_distribution<float> normal;
    for (float& value : w) {
        value = normal(random);
    }
    for (uint16_t& value : x) {
        value = to_bf16(normal(random));
    }

    fdk_table* table = nullptr;
    fdk_matrix* matrix = nullptr;
    const char* notice = nullptr;
    ok(fdk_table_load(argv[1], &table));
    ok(fdk_table_notice(table, nullptr, &notice));
    if (*notice != '\0') {
        std::fprintf(stderr, "example: %s\n", notice);
    }
    ok(fdk_quantise(&format, w.data(), FDK_FP32, nullptr, weight_data.data(), scale.data()));
    ok(fdk_matrix_create(
        table, &format, weight_data.data(), scale.data(), nullptr, nullptr, &matrix));
    ok(fdk_matmul(matrix, nullptr, x.data(), m, y.data()));
    const bool done = finished();  // on a GPU, fdk_matmul only starts it
    fdk_matrix_free(matrix);
    fdk_table_free(table);

    if (!done) {
        std::fputs("example: the GPU reports an error\n", stderr);
        return 1;
    }
    const double off = error(y, x, w, format);
    std::printf("error against the product of floats: %.3f\n", off);
    return off > 0.03 && off < 0.15 ? 0 : 1;  // 4 bits cost about a tenth
}
