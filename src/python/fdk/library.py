"""libfdk through ctypes: where it is found, and its functions with errors as exceptions."""

import ctypes
import functools
import os
import pathlib

import torch

# fdk_type
TYPES = {torch.bfloat16: 0, torch.float16: 1, torch.float32: 2}

_INVALID_ARGUMENT = 1
_NO_DEVICE = 4
_ENVIRONMENT = 5
_PACKAGE = pathlib.Path(__file__).resolve().parent


class Format(ctypes.Structure):
    """fdk_format"""

    _fields_ = [
        ("n", ctypes.c_int64),
        ("k", ctypes.c_int64),
        ("group_size", ctypes.c_int64),
        ("bits", ctypes.c_int32),
        ("type", ctypes.c_int),
        ("layout", ctypes.c_int),  # 0, the canonical one, where it is not given
    ]


_POINTER = ctypes.c_void_p
_QUANTISE = [
    ctypes.POINTER(Format),
    _POINTER,
    ctypes.c_int,
    _POINTER,
    _POINTER,
    _POINTER,
]
_SIGNATURES = {
    "fdk_table_load": [ctypes.c_char_p, ctypes.POINTER(_POINTER)],
    "fdk_table_notice": [_POINTER, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p)],
    "fdk_uniform_codebook": [ctypes.c_int32, ctypes.c_int, _POINTER],
    "fdk_quantise": _QUANTISE,
    "fdk_quantise_on": [ctypes.c_char_p, _POINTER, *_QUANTISE],
    "fdk_matrix_create": [
        _POINTER,
        ctypes.POINTER(Format),
        _POINTER,
        _POINTER,
        _POINTER,
        ctypes.c_char_p,
        ctypes.POINTER(_POINTER),
    ],
    "fdk_matmul": [_POINTER, _POINTER, _POINTER, ctypes.c_int64, _POINTER],
}


def _places():
    """The files to try, with what each is called in messages."""
    named = os.environ.get("FDK_LIBRARY")
    if named:
        # What was asked for is what is taken, or nothing.
        return [(named, f"{named} (FDK_LIBRARY)")]
    candidates = [_PACKAGE / "libfdk.so"]
    if len(_PACKAGE.parents) > 2:
        candidates.append(_PACKAGE.parents[2] / "build" / "src" / "fdk" / "libfdk.so")
    files = [(str(path), str(path)) for path in candidates]
    return files + [("libfdk.so.1", "libfdk.so.1 on the loader's path")]


def _opened():
    tried = []
    for file, name in _places():
        if os.sep in file and not os.path.exists(file):
            tried.append(f"{name}: not there")
            continue
        try:
            return ctypes.CDLL(file)
        except OSError as error:
            tried.append(f"{name}: {error}")
    raise RuntimeError(
        "cannot find the library libfdk. Looked at "
        + "; ".join(tried)
        + ". Build it with scripts/build in the fdkbench repository, then set FDK_LIBRARY to "
        "build/src/fdk/libfdk.so or run pip install ./src/python again"
    )


@functools.lru_cache(maxsize=None)
def library():
    """The loaded library. Raises RuntimeError saying where it was looked for."""
    loaded = _opened()
    try:
        for name, arguments in _SIGNATURES.items():
            getattr(loaded, name).argtypes = arguments
            getattr(loaded, name).restype = ctypes.c_int
        for name in ("fdk_table_free", "fdk_matrix_free"):
            getattr(loaded, name).argtypes = [_POINTER]
            getattr(loaded, name).restype = None
        loaded.fdk_last_error.argtypes = []
        loaded.fdk_last_error.restype = ctypes.c_char_p
    except AttributeError as error:
        raise RuntimeError(
            f"{loaded._name} is not the libfdk that this package is for ({error}): build it with "
            "scripts/build in the same fdkbench repository"
        ) from error
    return loaded


def check(status):
    """Raises what the last call in this thread failed with."""
    if status != 0:
        message = library().fdk_last_error().decode()
        raise ValueError(message) if status == _INVALID_ARGUMENT else RuntimeError(message)


def uniform_codebook(bits, dtype):
    """[2^bits] on the CPU."""
    values = torch.empty(2**bits, dtype=dtype, device="cpu")
    check(library().fdk_uniform_codebook(bits, TYPES[dtype], values.data_ptr()))
    return values


def quantise(weight, block_size, lut):
    """weight_data and scale of a weight [n, k] with this codebook (its type is theirs): on the GPU
    where the weight is on one that the library can use and that has room, else on the CPU."""
    weight = weight.detach()
    if not weight.is_cuda:
        weight = weight.to("cpu")
    if weight.dtype not in TYPES:
        weight = weight.to(torch.float32)
    weight = weight.contiguous()
    lut = lut.to("cpu").contiguous()
    n, k = weight.shape
    bits = lut.numel().bit_length() - 1
    format = Format(n, k, block_size, bits, TYPES[lut.dtype])
    weight_data = torch.empty(n, k * bits // 8, dtype=torch.uint8, device=weight.device)
    scale = torch.empty(n, k // block_size, dtype=lut.dtype, device=weight.device)
    operands = (
        format,
        weight.data_ptr(),
        TYPES[weight.dtype],
        lut.data_ptr(),
        weight_data.data_ptr(),
        scale.data_ptr(),
    )
    if weight.is_cuda:
        stream = torch.cuda.current_stream(weight.device).cuda_stream
        status = library().fdk_quantise_on(str(weight.device).encode(), stream, *operands)
        if status in (_NO_DEVICE, _ENVIRONMENT):
            return quantise(weight.to("cpu"), block_size, lut)
        check(status)
    else:
        check(library().fdk_quantise(*operands))
    return weight_data, scale
