#!/usr/bin/env python3
"""Checks who includes whom, and that every header starts with #pragma once.

Exits with 1 and names each offending line. With --self-test it plants a forbidden include in a copy
of the rules' input and checks that it is found.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Folder -> folders it may include besides itself.
ALLOWED = {
    "src/core": [],
    "src/model": ["src/core"],
    "src/protocol": ["src/core"],
    "src/host": ["src/core"],
    "src/cuda": ["src/core"],
    "src/fdk": ["src/core", "src/cuda", "src/host"],
    "src/worker": ["src/core", "src/protocol", "kernels", "src/cuda", "src/host"],
    "kernels": ["src/core"],
    "tuner": ["src/core", "src/protocol", "kernels"],
    "results": ["src/core"],
    "src/cli": ["src/core", "src/model", "src/protocol", "kernels", "tuner", "results"],
}
# System headers that only some folders may use.
ONLY_IN = {
    r"cuda|cublas|nvrtc": ["src/cuda"],
    r"sqlite3": ["results"],
    r"CLI/": ["src/cli"],
    r"dnnl|oneapi": ["src/host"],
    r"nlohmann": ["src/core/json", "src/core/safetensors_header", "src/protocol"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def folder_of(path: str) -> str:
    return max((f for f in ALLOWED if path.startswith(f + "/")), key=len, default="")


def is_kernel_source(path: str) -> bool:
    return path.startswith("kernels/") and (
        path.endswith((".cu", ".cuh", ".kernel.cpp")) or path.startswith("kernels/common/")
    )


def problem_with(path: str, system: bool, name: str) -> str:
    """What is wrong with `path` including `name`; empty when nothing is."""
    if is_kernel_source(path):
        ok = name.startswith("kernels/common/") or (system and not path.endswith((".cu", ".cuh")))
        return "" if ok else "kernel sources include kernels/common only"
    if system:
        for pattern, places in ONLY_IN.items():
            if re.match(pattern, name) and not any(path.startswith(p) for p in places):
                return f"only {', '.join(places)} may include <{name}>"
        return ""
    target = folder_of(name)
    if target in ("", folder_of(path)) or target in ALLOWED[folder_of(path)]:
        return "" if "/" in name else "includes start at the repository root"
    return f"{folder_of(path)} may not include {target}"


def problems_in(path: str, text: str) -> list[str]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            what = problem_with(path, match[1] == "<", match[2])
            if what:
                found.append(f"{path}:{number}: {what}")
    if path.endswith((".hpp", ".cuh")) and "#pragma once" not in text:
        found.append(f"{path}: has no #pragma once")
    return found


def self_test() -> int:
    planted = {
        "src/core/a.cpp": '#include "tuner/sweep.hpp"\n',
        "tuner/a.cpp": "#include <cuda_runtime.h>\n",
        "src/cli/a.hpp": "#include <vector>\n",
        "kernels/a.cu": "#include <cuda_bf16.h>\n",
    }
    missed = [path for path, text in planted.items() if not problems_in(path, text)]
    print("missed: " + ", ".join(missed) if missed else "every planted include was found")
    return 1 if missed else 0


def main() -> int:
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    found = []
    for folder in ("src", "kernels", "tuner", "results"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".cpp", ".hpp", ".cu", ".cuh"):
                path = str(file.relative_to(ROOT))
                found += problems_in(path, file.read_text(encoding="utf-8"))
    print("\n".join(found) if found else "all includes follow the rules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
