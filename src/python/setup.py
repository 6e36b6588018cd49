"""Puts the built libfdk.so, where there is one, beside the package's modules."""

import pathlib
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py

LIBRARY = pathlib.Path(__file__).resolve().parents[2] / "build" / "src" / "fdk" / "libfdk.so"


class BuildWithLibrary(build_py):
    """An editable install finds the library in the build folder by itself."""

    def run(self):
        super().run()
        if LIBRARY.exists() and not self.editable_mode:
            target = pathlib.Path(self.build_lib) / "fdk" / "libfdk.so"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(LIBRARY, target)


setup(cmdclass={"build_py": BuildWithLibrary})
