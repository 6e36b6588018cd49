"""The operator fdk::linear: y = x · wᵀ for weights that are given as tensors.

The matrix of libfdk that multiplies is made at the first call with these tensors, found again by
them, and made anew when they have changed. So graphs that a compiler traced, saved and copied
modules hold tensors alone.
"""

import ctypes
import sys
import threading
import weakref
from typing import Optional

import torch
from torch import Tensor

from .library import TYPES, Format, check, library
from .table import table_at

_ACTIVATIONS = (torch.bfloat16, torch.float16)


def _format(weight_data, scale, lut):
    """n, k, block_size (0 for 16 bits), bits, dtype."""
    n, row = weight_data.shape
    if lut is None:
        return n, row, 0, 16, weight_data.dtype
    # Compared, not looked up: compilers may have a symbol for the size.
    bits = next((bits for bits in (8, 4, 2, 1) if lut.numel() == 2**bits), None)
    if bits is None:
        raise ValueError(f"the lut has {lut.numel()} values: 256, 16, 4 or 2 are possible")
    k = row * 8 // bits
    return n, k, k // scale.shape[1], bits, scale.dtype


def _checked_shape(x, weight_data, scale, lut):
    """The shape of y. Raises TypeError and ValueError for an x that does not fit."""
    n, k, _, _, dtype = _format(weight_data, scale, lut)
    if dtype not in _ACTIVATIONS:
        raise TypeError(
            f"the layer has scales or weights of {dtype}, for which there are no kernels: give "
            "it .to(torch.bfloat16) or .to(torch.float16)"
        )
    if lut is not None and lut.dtype != dtype:
        raise TypeError(f"scale is {dtype}, lut {lut.dtype}: give both the same type")
    if x.dtype != dtype:
        raise TypeError(f"x is {x.dtype}, the layer {dtype}: give x.to({dtype})")
    if x.device != weight_data.device:
        raise ValueError(
            f"x is on {x.device}, the layer on {weight_data.device}: move one of them with .to()"
        )
    if x.dim() == 0 or x.shape[-1] != k:
        raise ValueError(f"x has the shape {list(x.shape)}: its last dimension has to be {k}")
    return (*x.shape[:-1], n)


def _is_capturing():
    return torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()


class _Matrix:
    """An fdk_matrix."""

    _unfreed = []  # handles that went while their thread captured a CUDA graph

    def __init__(self, table, weight_data, scale, lut):
        self.handle = ctypes.c_void_p()
        self.device = weight_data.device
        if self.device.type not in ("cpu", "cuda"):
            raise ValueError(f"there are no kernels for {self.device}: use cpu or cuda")
        if _is_capturing():
            raise RuntimeError(
                "the layer is called for the first time, or after its weights changed, while a "
                "CUDA graph is captured: call it once before"
            )
        while self._unfreed:
            library().fdk_matrix_free(self._unfreed.pop())
        n, k, block_size, bits, dtype = _format(weight_data, scale, lut)
        on_cpu = [
            None if tensor is None else tensor.detach().to("cpu").contiguous()
            for tensor in (weight_data, scale, lut)
        ]
        name = f"cuda:{self.device.index}" if self.device.type == "cuda" else "host"
        check(
            library().fdk_matrix_create(
                table.handle,
                Format(n, k, block_size, bits, TYPES[dtype]),
                *(None if tensor is None else tensor.data_ptr() for tensor in on_cpu),
                name.encode(),
                self.handle,
            )
        )
        table.compare_with(name)

    def __del__(self, is_finalizing=sys.is_finalizing):
        if is_finalizing() or not self.handle:
            return
        if self.device.type == "cuda":
            if _is_capturing():
                self._unfreed.append(self.handle)
                return
            torch.cuda.synchronize(self.device)
        library().fdk_matrix_free(self.handle)


class _Entry:
    """A matrix with the tensors that it was made from."""

    def __init__(self, tensors, state, table):
        self.references = [None if tensor is None else weakref.ref(tensor) for tensor in tensors]
        self.state = state
        self.matrix = _Matrix(table_at(table), *tensors)
        self.captured = []  # matrices that CUDA graphs hold
        self.launching = threading.Lock()
        self.stream = None  # of the last launch

    def is_for(self, tensors, state):
        return self.state == state and all(
            (reference() if reference else None) is tensor
            for reference, tensor in zip(self.references, tensors)
        )

    def multiply(self, x, m, y):
        matmul = library().fdk_matmul
        if x.device.type == "cpu":
            check(matmul(self.matrix.handle, None, x.data_ptr(), m, y.data_ptr()))
            return
        stream = torch.cuda.current_stream(x.device)
        # A matrix's launches share workspaces: on several streams they have to wait for each other.
        with self.launching:
            if torch.cuda.is_current_stream_capturing():
                if not any(matrix is self.matrix for matrix in self.captured):
                    self.captured.append(self.matrix)
            elif self.stream is not None and self.stream != stream:
                stream.wait_stream(self.stream)
            self.stream = stream
            check(matmul(self.matrix.handle, stream.cuda_stream, x.data_ptr(), m, y.data_ptr()))


_entries = {}  # by id() of weight_data
_making = threading.RLock()


def _state(tensors, table):
    """What differs when the tensors were changed in place."""
    return (table,) + tuple(
        None if t is None else (t.data_ptr(), t.dtype, 0 if t.is_inference() else t._version)
        for t in tensors
    )


def _entry(weight_data, scale, lut, table):
    tensors = (weight_data, scale, lut)
    state = _state(tensors, table)
    key = id(weight_data)
    entry = _entries.get(key)
    if entry is not None and entry.is_for(tensors, state):
        return entry
    with _making:
        entry = _entries.get(key)
        if entry is not None and entry.is_for(tensors, state):
            return entry
        made = _Entry(tensors, state, table)
        if entry is None:
            weakref.finalize(weight_data, _entries.pop, key, None).atexit = False
        else:
            made.captured = entry.captured
            made.stream = entry.stream
        _entries[key] = made
        return made


def matrices():
    """How many matrices there are."""
    return len(_entries)


@torch.library.custom_op("fdk::linear", mutates_args=())
def linear(
    x: Tensor, weight_data: Tensor, scale: Optional[Tensor], lut: Optional[Tensor], table: str
) -> Tensor:
    """x [..., k] → [..., n]. scale and lut: None for 16-bit weights. table: a path, "" for the
    default one."""
    y = x.new_empty(_checked_shape(x, weight_data, scale, lut))
    if y.numel() == 0:
        return y
    x = x.contiguous()
    if x.data_ptr() % 16 != 0:
        x = x.clone(memory_format=torch.contiguous_format)
    _entry(weight_data, scale, lut, table).multiply(x, y.numel() // y.shape[-1], y)
    return y


@linear.register_fake
def _(x, weight_data, scale, lut, table):
    return x.new_empty(_checked_shape(x, weight_data, scale, lut))


# Compilers trace the gradient before anybody asks for it: only running it may fail.
@torch.library.custom_op("fdk::no_gradient", mutates_args=())
def no_gradient(y_gradient: Tensor, k: int) -> Tensor:
    raise RuntimeError(
        "a gradient was asked for through a quantised layer, which has none: call it under "
        "torch.no_grad(), or with x.detach()"
    )


@no_gradient.register_fake
def _(y_gradient, k):
    return y_gradient.new_empty((*y_gradient.shape[:-1], k))


def _keep_k(ctx, inputs, output):
    ctx.k = inputs[0].shape[-1]


linear.register_autograd(
    lambda ctx, y_gradient: (no_gradient(y_gradient, ctx.k), None, None, None, None),
    setup_context=_keep_k,
)
