#pragma once

#include <stddef.h>
#include <stdint.h>

/// libfdk: y = x · wᵀ with low-bit weights w, by the kernels that fdkbench found to be the fastest.
///
///     w [n,k]  weights of 16, 8, 4, 2 or 1 bits with a codebook and a scale for each group along k
///     x [m,k]  activations, row-major        y [m,n]  output, row-major
///
/// A table is loaded from a file that `fdkbench export-table --bundle FILE` wrote. A matrix is made
/// from a table and quantised weights; it lives on one device and multiplies any number of times.
///
/// Errors: a function that can fail returns an fdk_status, and fdk_last_error() says in words what
/// was wrong and what to do. A function that failed has changed nothing, and has set what it
/// would have made to null.
///
/// Threads: every function may be called by several threads at once. Only calls of fdk_matmul() for
/// one and the same matrix must not overlap, on the device: see there.

#if defined(__GNUC__)
#define FDK_API __attribute__((visibility("default")))
#else
#define FDK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fdk_status {
    FDK_OK = 0,
    FDK_INVALID_ARGUMENT = 1,  ///< a null pointer, a shape or format that cannot be, a bad value
    FDK_BAD_FILE = 2,          ///< a file that is not there, is no bundle, is damaged
    FDK_NO_ENTRY = 3,          ///< the table has no kernel for what was asked
    FDK_NO_DEVICE = 4,         ///< no such device, or not the one that the table is for
    FDK_ENVIRONMENT = 5,       ///< the machine lacks memory, or cuBLASLt, which some kernels need
    FDK_DEVICE_ERROR = 6,      ///< a kernel cannot be loaded or launched
    FDK_INTERNAL = 7           ///< a fault of this library
} fdk_status;

/// Integers, so that any value may be passed: one that is not listed is FDK_INVALID_ARGUMENT.
typedef int32_t fdk_type;
enum { FDK_BF16 = 0, FDK_FP16 = 1, FDK_FP32 = 2 };

/// The order of packed weights and scales in memory.
typedef int32_t fdk_layout;
enum {
    FDK_CANONICAL = 0,  ///< row-major, the first weight of a byte in its most significant bits
    FDK_FRAGMENT = 1    ///< that of the operands of tensor cores, as src/core/fragment.hpp has it
};

/// What the weights [n,k] are. Valid: 1 ≤ n, k ≤ 2^24; bits 8, 4, 2 or 1 with a group_size that
/// divides k and whose group_size·bits are whole bytes, or bits 16 with group_size 0.
typedef struct fdk_format {
    int64_t n;           ///< output features
    int64_t k;           ///< input features
    int64_t group_size;  ///< weights along k that share a scale
    int32_t bits;        ///< of a weight
    fdk_type type;       ///< of x, y, scale, codebook and 16-bit weights: FDK_BF16 or FDK_FP16
    fdk_layout layout;   ///< of weight_data and scale; FDK_CANONICAL with bits 16
} fdk_format;

/// Immutable. Matrices made from it do not need it any longer.
typedef struct fdk_table fdk_table;
typedef struct fdk_matrix fdk_matrix;

/// What the last call of this thread that failed said: one line of UTF-8, "" before there was one.
/// Valid until the next such call of this thread.
FDK_API const char* fdk_last_error(void);

/// Reads and checks a bundle: the hashes of the table and of every kernel. The caller owns *table.
/// FDK_INVALID_ARGUMENT, FDK_BAD_FILE, FDK_ENVIRONMENT.
FDK_API fdk_status fdk_table_load(const char* path, fdk_table** table);
/// Null is allowed.
FDK_API void fdk_table_free(fdk_table* table);

/// Whether the kernels that were the fastest where the table was measured should be so on a device:
/// `*notice` is "" where it has as many SMs (on the host: cores), as much L2 (last-level) cache
/// and, within 10 %, the memory bandwidth of the one that was measured. Else it is one line of
/// UTF-8 that says what differs and what to do; matrices multiply all the same. What the table or
/// the device does not tell is not compared, nor are names. `device`: as for fdk_matrix_create().
/// `*notice` belongs to the table. FDK_INVALID_ARGUMENT, FDK_NO_DEVICE (also where the table's
/// kernels cannot run there), FDK_ENVIRONMENT.
FDK_API fdk_status fdk_table_notice(const fdk_table* table,
                                    const char* device,
                                    const char** notice);

/// 2^bits values evenly from −1 to 1, mirrored about 0, to `codebook` [2^bits] of `type` (16 bits
/// each). What is used where a codebook is null. FDK_INVALID_ARGUMENT.
FDK_API fdk_status fdk_uniform_codebook(int32_t bits, fdk_type type, void* codebook);

/// Bytes of weight_data and of scale (0 with bits 16). FDK_INVALID_ARGUMENT.
FDK_API fdk_status fdk_operand_bytes(const fdk_format* format, size_t* weight_data, size_t* scale);

/// Quantises weights [n,k], all of them finite, on the CPU with all of its cores.
/// `weights_type` is theirs, of all three types; they are rounded to format->type first.
/// `codebook`: [2^bits] of format->type, finite and ascending, or null for the uniform one.
/// Written, to memory of the caller, all of it in the host's:
///   canonical: weight_data [n, k·bits/8] bytes, scale [n, k/group_size] of format->type;
///   else as many bytes as fdk_operand_bytes() says.
/// A group's scale is the mean of |w| for 1 and 2 bits, else the largest |w|; a weight's code is
/// the index of the codebook value nearest to w ÷ scale, the lower one of two equally near.
/// FDK_INVALID_ARGUMENT (also for bits 16 and for weights that are not finite in format->type),
/// FDK_ENVIRONMENT.
FDK_API fdk_status fdk_quantise(const fdk_format* format,
                                const void* weights,
                                fdk_type weights_type,
                                const void* codebook,
                                uint8_t* weight_data,
                                void* scale);

/// The same on a GPU: weights, weight_data and scale lie in memory of `device` ("cuda:0", "cuda:1",
/// …; null for cuda:0), the codebook in the host's; weight_data of layout FDK_FRAGMENT lies at a
/// multiple of 16 bytes, and the device has room for as much again for the time of the call. Gives
/// the same bytes as fdk_quantise(), unless the weights of one group of 1 or 2 bits differ by so
/// much that the rounding of their sum in double shows. Waits for `stream` (a cudaStream_t of that
/// device; null for its default stream), on which it works and which must not be captured. Where it
/// fails, weight_data and scale may have been written. FDK_INVALID_ARGUMENT, FDK_NO_DEVICE,
/// FDK_ENVIRONMENT, FDK_DEVICE_ERROR.
FDK_API fdk_status fdk_quantise_on(const char* device,
                                   void* stream,
                                   const fdk_format* format,
                                   const void* weights,
                                   fdk_type weights_type,
                                   const void* codebook,
                                   uint8_t* weight_data,
                                   void* scale);

/// Makes a matrix on a device: loads the table's kernels for this format, uploads the weights in
/// the order that they read (one copy for all m), sets workspaces up and launches each kernel once,
/// with zeros, so that later launches, of whatever m, find everything loaded. `device`: "host",
/// "cuda:0", "cuda:1", …; null for the first device of the table's kind. weight_data, scale,
/// codebook: as fdk_quantise() takes and writes them, in format->layout, whichever the kernels
/// read; in the host's memory, not needed after the call. With bits 16, weight_data is [n,k] of
/// format->type, scale and codebook are null. The caller owns *matrix. Must not be called while
/// this thread captures a CUDA graph. Needs, for the time of the call, memory for x and y of the m
/// with which kernels are launched: where one of them calls cuBLASLt, up to 4096. Leaves the
/// thread's current CUDA device as it is. FDK_INVALID_ARGUMENT, FDK_NO_ENTRY, FDK_NO_DEVICE,
/// FDK_ENVIRONMENT, FDK_DEVICE_ERROR.
FDK_API fdk_status fdk_matrix_create(const fdk_table* table,
                                     const fdk_format* format,
                                     const void* weight_data,
                                     const void* scale,
                                     const void* codebook,
                                     const char* device,
                                     fdk_matrix** matrix);
/// Launches must have ended, and CUDA graphs that hold any be gone. Null is allowed.
FDK_API void fdk_matrix_free(fdk_matrix* matrix);

/// The m that the table was measured for: `*m` points to `*count` ascending numbers, which belong
/// to the matrix. For these its kernels were the fastest; between and beyond, the choice is a
/// prediction. FDK_INVALID_ARGUMENT.
FDK_API fdk_status fdk_matrix_m(const fdk_matrix* matrix, const int64_t** m, size_t* count);

/// Starts y = x · wᵀ, with sums in fp32. x [m,k] and y [m,n], of the matrix's type, lie without
/// gaps in memory of its device, at multiples of 16 bytes, and do not overlap. m is any number of
/// rows; 0 does nothing. A kernel that takes fewer rows at once is launched several times. (With a
/// table that an older fdkbench wrote, m is one of fdk_matrix_m().)
/// `stream`: a cudaStream_t of the matrix's device (null for its default stream); for the host it
/// is ignored, and y is written when the call returns.
/// On a GPU the call only enqueues: it allocates nothing, waits for nothing, takes no lock, and can
/// be captured in a CUDA graph. Errors of the kernel itself show in later CUDA calls.
/// Kernels of one matrix share workspaces: two launches for it, graphs among them, must not run at
/// the same time. On one stream they do not; on several, order them with events. Different matrices
/// are independent. On the host any calls may overlap; they wait for each other.
/// FDK_INVALID_ARGUMENT, FDK_NO_ENTRY (such a table, and another m), FDK_DEVICE_ERROR.
FDK_API fdk_status fdk_matmul(fdk_matrix* matrix, void* stream, const void* x, int64_t m, void* y);

#ifdef __cplusplus
}
#endif
