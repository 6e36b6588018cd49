"""Quantised linear layers, and models in which they replace torch.nn.Linear."""

import copy
import math
import re
import warnings
from dataclasses import dataclass
from typing import Optional, Sequence

import torch
from torch import nn

from . import library
from .linear import linear
from .table import Table

_DTYPES = (torch.bfloat16, torch.float16)


@dataclass(frozen=True)
class QuantisationConfig:
    """bits: 8, 4, 2 or 1 of a weight, or 16 for plain weights. block_size: weights along the input
    that share a scale. lut: the 2^bits values that a code stands for, ascending; evenly from −1 to
    1 where it is None."""

    bits: int = 4
    block_size: int = 64
    lut: Optional[Sequence[float]] = None

    def __post_init__(self):
        if self.bits not in (16, 8, 4, 2, 1):
            raise ValueError(f"there are no weights of {self.bits!r} bits: give 16, 8, 4, 2 or 1")
        if not isinstance(self.block_size, int) or self.block_size < 1:
            raise ValueError(f"block_size cannot be {self.block_size!r}: give 1 or more")
        if self.bits != 16 and self.block_size * self.bits % 8 != 0:
            raise ValueError(
                f"a block of {self.block_size} weights of {self.bits} bits is not whole bytes: "
                f"give a block_size that {8 // self.bits} divides"
            )
        if self.lut is not None:
            object.__setattr__(self, "lut", self._checked_lut())

    def _checked_lut(self):
        lut = tuple(float(value) for value in self.lut)
        if self.bits == 16:
            raise ValueError("weights of 16 bits have no lut: leave it out")
        if len(lut) != 2**self.bits:
            raise ValueError(f"the lut has {len(lut)} values: {self.bits} bits need {2**self.bits}")
        if not all(math.isfinite(value) for value in lut) or list(lut) != sorted(lut):
            raise ValueError("the values of a lut have to be finite and ascending: sort them")
        return lut

    def _codebook(self, dtype):
        if self.lut is None:
            return library.uniform_codebook(self.bits, dtype)
        return torch.tensor(self.lut, dtype=dtype, device="cpu")


def _path_of(table):
    if table is None:
        return ""
    return table.path if isinstance(table, Table) else Table(table).path


class QuantisedLinear(nn.Module):
    """y = x · wᵀ + bias with low-bit weights w [out_features, in_features].

    Buffers: weight_data [n, k·bits/8] uint8, the first weight of a byte in its most significant
    bits; scale [n, k/block_size]; lut [2^bits]. With 16 bits weight_data is w itself, and there is
    neither scale nor lut. scale, lut, x and y have the layer's type, bfloat16 or float16. Made
    like this a layer is empty (zeros): load_state_dict() fills it, as does from_linear().

    The first call, and the first after the buffers changed, prepares the weights for the table's
    kernels: do it before a CUDA graph is captured. A graph keeps the weights that it was captured
    with; the buffers themselves have to outlive it. On several streams, calls of a layer wait for each other; graphs that hold the same layer
    must not run at the same time. Changes through `.data` go unnoticed. There are no gradients.
    """

    def __init__(
        self,
        in_features,
        out_features,
        bias=True,
        config=QuantisationConfig(),
        *,
        device=None,
        dtype=torch.bfloat16,
        table=None,
    ):
        super().__init__()
        if dtype not in _DTYPES:
            raise TypeError(f"dtype cannot be {dtype}: give torch.bfloat16 or torch.float16")
        bits, block_size = config.bits, config.block_size
        if bits != 16 and in_features % block_size != 0:
            raise ValueError(
                f"in_features {in_features} is no multiple of block_size {block_size}: give "
                "another block_size"
            )
        self.in_features = in_features
        self.out_features = out_features
        self.config = config
        self._table = _path_of(table)
        # Tensors made in inference mode would not count their changes.
        with torch.inference_mode(False), torch.no_grad():
            if bits == 16:
                weight_data = torch.zeros(out_features, in_features, dtype=dtype, device=device)
                scale = lut = None
            else:
                weight_data = torch.zeros(
                    out_features, in_features * bits // 8, dtype=torch.uint8, device=device
                )
                scale = torch.zeros(
                    out_features, in_features // block_size, dtype=dtype, device=device
                )
                lut = config._codebook(dtype).to(weight_data.device)
            self.register_buffer("weight_data", weight_data)
            self.register_buffer("scale", scale)
            self.register_buffer("lut", lut)
            self.bias = None
            if bias:
                zeros = torch.zeros(out_features, dtype=dtype, device=device)
                self.bias = nn.Parameter(zeros, requires_grad=False)

    @classmethod
    def from_linear(cls, layer, config, *, device=None, dtype=None, table=None):
        """A quantised layer with the weights of this one, which stays as it is."""
        weight = layer.weight
        if weight.is_meta:
            raise ValueError("a layer on the device meta has no weights to quantise: load them")
        dtype = dtype or weight.dtype
        if dtype not in _DTYPES:
            raise TypeError(
                f"the weights are {dtype}: give dtype=torch.bfloat16 or dtype=torch.float16"
            )
        n, k = weight.shape
        device = weight.device if device is None else device
        made = cls(k, n, layer.bias is not None, config, device=device, dtype=dtype, table=table)
        with torch.inference_mode(False), torch.no_grad():
            if config.bits == 16:
                made.weight_data.copy_(weight)
            else:
                codebook = config._codebook(dtype)
                weight_data, scale = library.quantise(weight, config.block_size, codebook)
                made.weight_data.copy_(weight_data)
                made.scale.copy_(scale)
            if layer.bias is not None:
                made.bias.copy_(layer.bias)
        return made.train(layer.training)

    def forward(self, x):
        y = linear(x, self.weight_data, self.scale, self.lut, self._table)
        return y if self.bias is None else y.add_(self.bias)

    def extra_repr(self):
        block_size = "" if self.config.bits == 16 else f", block_size={self.config.block_size}"
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}, bits={self.config.bits}{block_size}"
        )


def _chosen(module, skip):
    """The layers to replace, each with its first name. A layer that any of its names exempts
    stays."""
    chosen = {}
    exempt = set()
    for name, layer in module.named_modules(remove_duplicate=False):
        # Subclasses may compute something else.
        if type(layer) is nn.Linear:
            if skip is not None and re.search(skip, name):
                exempt.add(layer)
            chosen.setdefault(layer, name)
    return {layer: name for layer, name in chosen.items() if layer not in exempt}


def quantise(module, config, *, device=None, dtype=None, skip=r"^lm_head$", table=None):
    """A copy of the module in which a QuantisedLinear stands for every torch.nn.Linear, or for the
    module itself where it is one; the original stays as it is.

    Linear layers whose qualified name `skip` matches (re.search; None: no layer) are copied, and so
    are those of subclasses. device, dtype: of the copy, as in module.to(); by default those that
    the module has. table: the path of a bundle or a fdk.Table; by default that of fdk.set_table().
    """
    if dtype is not None and dtype not in _DTYPES:
        raise TypeError(f"dtype cannot be {dtype}: give torch.bfloat16 or torch.float16")
    table = None if table is None else (table if isinstance(table, Table) else Table(table))
    made = {}
    for layer, name in _chosen(module, skip).items():
        try:
            made[id(layer)] = QuantisedLinear.from_linear(
                layer, config, device=device, dtype=dtype, table=table
            )
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}" if name else str(error)) from error
    if not made:
        warnings.warn("nothing was quantised: there is no torch.nn.Linear that skip leaves over")
    # To deepcopy the layers to be replaced are copied already, so that their weights never are.
    result = copy.deepcopy(module, made)
    return result if device is None and dtype is None else result.to(device=device, dtype=dtype)
