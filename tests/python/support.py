"""Tables that are swept once for all tests, weights to compare with, golden vectors."""

import hashlib
import json
import os
import pathlib
import subprocess

import torch

# A matrix that the table has in every format.
N, K = 64, 256
FORMATS = [(bits, torch.bfloat16) for bits in (16, 8, 4, 2, 1)] + [(4, torch.float16)]
SOURCE = pathlib.Path(__file__).resolve().parents[2]
_tables = {}


def _fdkbench(*arguments):
    program = os.environ.get("FDKBENCH") or SOURCE / "build" / "fdkbench"
    result = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{program} failed: {result.stderr}")


def make_tables(folder):
    """The default one, and one that has a single matrix."""
    place = ["--db", folder / "a.db", "--cache-dir", folder / "cache"]
    sweep = ["sweep", "--device", "host", "--quick", "--race-time", "1s", "-j", "2", "-g", "64"]
    lut = ["-b", "4", "--include", "host_lut"]
    _fdkbench(*sweep, *place, *lut, "--shape", f"1x{N}x{K}")
    _fdkbench("export-table", *place, "--bundle", folder / "small.fdk")
    _fdkbench(*sweep, *place, *lut, "--shape", "1x4096x4096", f"1x{K}x{N}")
    for types in (["-t", "fp16", "-b", "4"], ["-t", "bf16", "-b", "16", "8", "2", "1"]):
        _fdkbench(*sweep, *place, *types, "--include", "host_(lut|dense)", "--shape", f"1x{N}x{K}")
    _fdkbench("export-table", *place, "--bundle", folder / "host.fdk")
    _tables.update(small=str(folder / "small.fdk"), host=str(folder / "host.fdk"))
    os.environ["FDK_TABLE"] = _tables["host"]
    if torch.cuda.is_available():
        place[1] = folder / "gpu.db"
        sweep[sweep.index("host")] = "cuda:0"
        _fdkbench(*sweep, *place, "-b", "4", "--shape", "1x4096x4096", "64x4096x4096")
        _fdkbench("export-table", *place, "--bundle", folder / "cuda.fdk")
        _tables["cuda"] = str(folder / "cuda.fdk")


def table(name):
    return _tables[name]


def changed_table(name, path, **device):
    """Writes a table whose device has other members."""
    header, content = pathlib.Path(table(name)).read_bytes().split(b"\n", 1)
    magic, version, size, _ = header.split()
    index = json.loads(content[: int(size)])
    index["table"]["device"].update(device)
    changed = json.dumps(index).encode()
    digest = hashlib.sha256(changed).hexdigest().encode()
    header = b" ".join([magic, version, b"%d" % len(changed), digest])
    path.write_bytes(header + b"\n" + changed + content[int(size) :])



def linear(n=N, k=K, bias=True, dtype=torch.bfloat16, seed=1):
    torch.manual_seed(seed)
    return torch.nn.Linear(k, n, bias=bias).to(dtype)


def values(*shape, dtype=torch.bfloat16, seed=2):
    torch.manual_seed(seed)
    return torch.randn(*shape).to(dtype)


def dequantised(layer):
    """The weights [n, k] that a layer's buffers stand for, in fp32."""
    if layer.lut is None:
        return layer.weight_data.float()
    bits = layer.config.bits
    shifts = torch.arange(8 - bits, -1, -bits, device=layer.lut.device)
    codes = (layer.weight_data.unsqueeze(-1).int() >> shifts) & (2**bits - 1)
    weights = layer.lut.float()[codes.flatten(1).long()]
    return weights * layer.scale.float().repeat_interleave(layer.config.block_size, 1)


def nrmse(y, layer, x):
    """Of y against the product of x with what the layer's buffers stand for."""
    expected = x.float() @ dequantised(layer).T
    if layer.bias is not None:
        expected = expected + layer.bias.float()
    return ((y.float() - expected).norm() / expected.norm()).item()


class Golden:
    """The tensors of a safetensors file."""

    _types = {"BF16": torch.bfloat16, "F32": torch.float32, "U8": torch.uint8}

    def __init__(self, path):
        self._bytes = pathlib.Path(path).read_bytes()
        self._data = 8 + int.from_bytes(self._bytes[:8], "little")
        self._header = json.loads(self._bytes[8 : self._data])

    def __getitem__(self, name):
        entry = self._header[name]
        begin, end = (self._data + offset for offset in entry["data_offsets"])
        content = bytearray(self._bytes[begin:end])
        flat = torch.frombuffer(content, dtype=self._types[entry["dtype"]])
        return flat.reshape(entry["shape"])
