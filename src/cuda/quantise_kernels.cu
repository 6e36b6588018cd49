#include "src/core/bits16.cuh"
#include "src/cuda/quantise_arguments.cuh"

using namespace fdkbench;

// The same numbers as quantise() of src/core gives on the CPU. A warp has a group: it reads it once
// for the scale, and again, out of the cache, for the codes, of which a lane writes whole bytes.

constexpr unsigned kLanes = 32;
constexpr unsigned kMagnitude = 0x7fff;

__device__ float value_of(NumberType type, Bits16 bits) {
    return type == NumberType::kBf16 ? bf16_value(bits) : fp16_value(bits);
}

__device__ Bits16 bits_as(NumberType type, float value) {
    return type == NumberType::kBf16 ? bf16_bits(value) : fp16_bits(value);
}

__device__ Bits16 weight_at(const QuantiseArguments& from, Extent index) {
    if (from.weights_type == NumberType::kFp32) {
        return bits_as(from.type, static_cast<const float*>(from.weights)[index]);
    }
    const Bits16 bits = static_cast<const Bits16*>(from.weights)[index];
    return from.weights_type == from.type ? bits
                                          : bits_as(from.type, value_of(from.weights_type, bits));
}

// What all lanes get. In double the sum is exact for all but extreme weights, in whatever order.
__device__ Bits16 scale_of(const QuantiseArguments& from, Extent first, unsigned lane) {
    const unsigned infinity = from.type == NumberType::kBf16 ? 0x7f80 : 0x7c00;
    double sum = 0;
    unsigned greatest = 0;
    for (unsigned i = lane; i < from.group_size; i += kLanes) {
        const unsigned magnitude = weight_at(from, first + i) & kMagnitude;
        if (magnitude >= infinity) {
            atomicMin(from.not_finite, static_cast<unsigned long long>(first + i));
        }
        sum += value_of(from.type, static_cast<Bits16>(magnitude));
        greatest = magnitude > greatest ? magnitude : greatest;
    }
    for (unsigned distance = kLanes / 2; distance > 0; distance /= 2) {
        sum += __shfl_xor_sync(0xffffffff, sum, distance);
        const unsigned other = __shfl_xor_sync(0xffffffff, greatest, distance);
        greatest = other > greatest ? other : greatest;
    }
    const unsigned scale =
        from.bits <= 2 ? bits_as(from.type, static_cast<float>(sum / from.group_size)) : greatest;
    return static_cast<Bits16>(scale > from.least_scale ? scale : from.least_scale);
}

extern "C" __global__ void __launch_bounds__(256) quantise(const QuantiseArguments from) {
    const Extent group = (static_cast<Extent>(blockIdx.x) * blockDim.x + threadIdx.x) / kLanes;
    const unsigned lane = threadIdx.x % kLanes;
    if (group >= from.groups) {
        return;
    }
    const Extent first = group * from.group_size;
    const Bits16 scale_bits = scale_of(from, first, lane);
    if (lane == 0) {
        from.scale[group] = scale_bits;
    }
    const float scale = value_of(from.type, scale_bits);
    const unsigned per_byte = 8 / from.bits;
    const unsigned bytes = from.group_size / per_byte;
    for (unsigned i = lane; i < bytes; i += kLanes) {
        unsigned byte = 0;
        for (unsigned j = 0; j < per_byte; ++j) {
            const Bits16 weight = weight_at(from, first + i * per_byte + j);
            const float scaled = value_of(from.type, weight) / scale;
            byte = byte << from.bits | from.codes[bits_as(from.type, scaled)];
        }
        from.weight_data[group * bytes + i] = static_cast<unsigned char>(byte);
    }
}
