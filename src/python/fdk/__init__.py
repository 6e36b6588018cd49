"""Linear layers with low-bit weights, by the kernels that fdkbench found to be the fastest.

Example:
    fdk.set_table("host.fdk")  # or the environment variable FDK_TABLE
    layers = fdk.models.quantise(model, fdk.models.QuantisationConfig(bits=4, block_size=64))
"""

try:
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError("fdk needs PyTorch: pip install torch") from error

from . import models
from .table import Table, set_table

__all__ = ["Table", "models", "set_table"]
