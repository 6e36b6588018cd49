import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings

import fdk
import support
import torch
from fdk.models import QuantisationConfig, quantise

PACKAGE = support.SOURCE / "src" / "python"
MULTIPLY = """
import fdk, torch
layer = fdk.models.quantise(torch.nn.Linear(256, 64, dtype=torch.bfloat16), fdk.models.QuantisationConfig())
print(layer(torch.ones(2, 256, dtype=torch.bfloat16)).shape)
"""


def python(code, path=PACKAGE, **environment):
    # Meson leads the loader to the library.
    changed = {**os.environ, "PYTHONPATH": str(path), "LD_LIBRARY_PATH": None, **environment}
    changed = {name: value for name, value in changed.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", code], env=changed, capture_output=True, text=True, check=False
    )


class TableTest(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, fdk.table, "_default", None)

    def test_a_table_is_the_layers_own_or_the_default(self):
        linear = support.linear(n=support.K, k=support.N)
        x = support.values(3, support.N)
        small, host = fdk.Table(support.table("small")), support.table("host")
        own = quantise(linear, QuantisationConfig(), table=host)
        fdk.set_table(small)
        with self.assertRaisesRegex(RuntimeError, "small.fdk has no kernel for n=256 k=64"):
            quantise(linear, QuantisationConfig())(x)
        with self.assertRaisesRegex(RuntimeError, "small.fdk"):
            quantise(linear, QuantisationConfig(), table=small)(x)
        expected = own(x)
        fdk.set_table(host)
        self.assertTrue(torch.equal(quantise(linear, QuantisationConfig())(x), expected))
        self.assertEqual(pickle.loads(pickle.dumps(small)).path, small.path)

    def test_files_that_are_no_tables_are_refused(self):
        with self.assertRaisesRegex(FileNotFoundError, "/absent.fdk.*export-table --bundle"):
            fdk.set_table("/absent.fdk")
        with tempfile.TemporaryDirectory() as folder:
            damaged = pathlib.Path(folder) / "damaged.fdk"
            content = bytearray(pathlib.Path(support.table("small")).read_bytes())
            content[len(content) // 2] ^= 16
            damaged.write_bytes(content)
            with self.assertRaisesRegex(RuntimeError, "damaged"):
                fdk.Table(damaged)

    def test_a_table_of_another_device_multiplies_with_one_warning(self):
        linear = support.linear(n=support.K, k=support.N)
        x = support.values(3, support.N)
        expected = quantise(linear, QuantisationConfig(), table=support.table("host"))(x)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "other.fdk"
            support.changed_table("host", path, units=1000)
            other = fdk.Table(path)
            with self.assertWarnsRegex(UserWarning, "other.fdk.*1000 cores, host has.*sweep"):
                y = quantise(linear, QuantisationConfig(), table=other)(x)
            self.assertTrue(torch.equal(y, expected))
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                quantise(linear, QuantisationConfig(), table=other)(x)
                quantise(linear, QuantisationConfig(), table=support.table("host"))(x)

    def test_without_a_table_it_says_how_to_make_one(self):
        result = python(MULTIPLY, FDK_TABLE=None)
        self.assertRegex(
            result.stderr, r"RuntimeError: there is no table.*fdk.set_table\(FILE\).*FDK_TABLE"
        )
        self.assertRegex(result.stderr, r"fdkbench sweep.*fdkbench export-table --bundle FILE")

    def test_the_library_is_looked_for_in_turn(self):
        library = os.environ.get("FDK_LIBRARY") or support.SOURCE / "build/src/fdk/libfdk.so"
        with tempfile.TemporaryDirectory() as folder:
            package = pathlib.Path(folder) / "a" / "b" / "c"
            shutil.copytree(PACKAGE / "fdk", package / "fdk", ignore=shutil.ignore_patterns("*.so"))
            missing = python(MULTIPLY, package, FDK_LIBRARY=None).stderr
            for words in (
                f"{package}/fdk/libfdk.so: not there",
                "build/src/fdk/libfdk.so: not there",
                "libfdk.so.1 on the loader's path",
                "scripts/build",
                "FDK_LIBRARY",
            ):
                self.assertIn(words, missing)
            self.assertIn("loader's path", missing)
            named = python(MULTIPLY, package, FDK_LIBRARY="/absent/libfdk.so").stderr
            self.assertIn("/absent/libfdk.so (FDK_LIBRARY): not there", named)
            self.assertNotIn("loader's path", named)
            loader = python(
                MULTIPLY, package, FDK_LIBRARY=None, LD_LIBRARY_PATH=os.path.dirname(library)
            )
            self.assertIn("[2, 64]", loader.stdout)
            shutil.copy(library, package / "fdk" / "libfdk.so")
            self.assertIn("[2, 64]", python(MULTIPLY, package, FDK_LIBRARY=None).stdout)
            other = pathlib.Path(folder) / "libother.so"
            subprocess.run(["cc", "-shared", "-x", "c", "/dev/null", "-o", other], check=True)
            self.assertIn(
                "not the libfdk", python(MULTIPLY, package, FDK_LIBRARY=str(other)).stderr
            )


class ReadmeTest(unittest.TestCase):
    def test_the_snippet_works_as_written(self):
        readme = (support.SOURCE / "README.md").read_text(encoding="utf-8")
        snippet = re.search(r"(?:^    .*\n|\n)+", readme[readme.index("    import fdk\n") :], re.M)[
            0
        ]
        code = "\n".join(line[4:] for line in snippet.splitlines())
        self.assertIn('torch.device("cuda")', code)
        result = python(code.replace('"cuda"', '"cpu"'))
        self.assertRegex(result.stdout, r"RMSE: tensor\(0\.03", result.stderr)
        if torch.cuda.is_available():
            result = python(code, FDK_TABLE=support.table("cuda"))
            self.assertRegex(result.stdout, r"RMSE: tensor\(0\.03", result.stderr)


if __name__ == "__main__":
    unittest.main()
