"""Tables: which kernel multiplies what."""

import ctypes
import os
import threading
import warnings
import weakref

from .library import check, library

HOW_TO_MAKE_ONE = (
    "`fdkbench sweep …` and then `fdkbench export-table --bundle FILE` make one "
    "(in the fdkbench repository: scripts/fdkbench)"
)


class Table:
    """A bundle that `fdkbench export-table --bundle FILE` wrote, loaded and checked.

    It stays loaded until the same path is loaded again. Bundles hold code: load only what you
    trust.
    """

    def __init__(self, path):
        self.path = os.path.abspath(os.fspath(path))
        handle = ctypes.c_void_p()
        if not os.path.exists(self.path):
            raise FileNotFoundError(f"there is no table {self.path}: {HOW_TO_MAKE_ONE}")
        check(library().fdk_table_load(os.fsencode(self.path), handle))
        self.handle = handle
        self._compared = set()
        weakref.finalize(self, library().fdk_table_free, handle).atexit = False
        _loaded[self.path] = self

    def compare_with(self, device):
        """Warns, once for each device ("cuda:0", "host"), of one that is unlike the one that the
        table was measured on."""
        if device in self._compared:
            return
        notice = ctypes.c_char_p()
        check(library().fdk_table_notice(self.handle, device.encode(), notice))
        self._compared.add(device)
        if notice.value:
            warnings.warn(notice.value.decode(), stacklevel=2)

    def __repr__(self):
        return f"fdk.Table({self.path!r})"

    def __reduce__(self):
        return Table, (self.path,)


_loaded = {}
_loading = threading.RLock()
_default = None


def set_table(path):
    """Loads the table that layers without one of their own use. `path` may be a Table.

    Layers that have already multiplied keep the kernels that they have.
    """
    global _default
    _default = path if isinstance(path, Table) else Table(path)


def table_at(path):
    """The table of this path, loaded once; the default one for ""."""
    if not path and _default is not None:
        return _default
    path = path or os.environ.get("FDK_TABLE", "")
    if not path:
        raise RuntimeError(
            "there is no table of kernels: give its file to fdk.set_table(FILE), or set the "
            f"environment variable FDK_TABLE. {HOW_TO_MAKE_ONE}"
        )
    path = os.path.abspath(path)
    with _loading:
        return _loaded.get(path) or Table(path)
