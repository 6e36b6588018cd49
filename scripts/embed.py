#!/usr/bin/env python3
"""Writes a C++ source that holds text files: embed.py OUT.cpp FUNCTION ROOT FILE...

The generated file defines `const std::vector<fdkbench::EmbeddedFile>& fdkbench::FUNCTION()`
with each file's path relative to ROOT (src/core/embedded_file.hpp).
"""

import os
import sys


def main() -> None:
    out, function, root, *files = sys.argv[1:]
    entries = []
    for name in sorted(files):
        with open(name, encoding="utf-8") as f:
            text = f.read()
        path = os.path.relpath(name, root)
        entries.append(f'        {{"{path}", R"FDKTEXT({text})FDKTEXT"}},\n')
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "src/core/embedded_file.hpp"\n\nnamespace fdkbench {\n\n')
        f.write(f"const std::vector<EmbeddedFile>& {function}();\n\n")
        f.write(f"const std::vector<EmbeddedFile>& {function}() {{\n")
        f.write("    static const std::vector<EmbeddedFile> files{\n")
        f.writelines(entries)
        f.write("    };\n    return files;\n}\n\n}  // namespace fdkbench\n")


if __name__ == "__main__":
    main()
