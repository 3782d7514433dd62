"""A disk under the database that fails when told, and that writes down what it is given.

It is a layer of SQLite's own interface to the system (sqlite.org/vfs.html) in this process, so that any user can
run it: no mount, no preloaded library. What Python itself writes (keys) is seen by wrapping four functions of ``os``.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlcipher3 import _sqlite3

Pointer = ctypes.c_void_p
OK, IO_READ, IO_WRITE, IO_SYNC, FULL = 0, 10 | 1 << 8, 10 | 3 << 8, 10 | 4 << 8, 13
SHM = "-shm"


class Methods(ctypes.Structure):
    """The methods of an open file: ``sqlite3_io_methods``."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("close", Pointer),
        ("read", Pointer),
        ("write", Pointer),
        ("truncate", Pointer),
        ("sync", Pointer),
        ("rest", Pointer * 13),
    )


class System(ctypes.Structure):
    """The interface to the system: ``sqlite3_vfs``."""

    _fields_ = (
        ("version", ctypes.c_int),
        ("file_bytes", ctypes.c_int),
        ("longest_path", ctypes.c_int),
        ("next", Pointer),
        ("name", ctypes.c_char_p),
        ("data", Pointer),
        ("open", Pointer),
        ("delete", Pointer),
        ("rest", Pointer * 14),
    )


Open = ctypes.CFUNCTYPE(ctypes.c_int, Pointer, Pointer, Pointer, ctypes.c_int, Pointer)
Delete = ctypes.CFUNCTYPE(ctypes.c_int, Pointer, Pointer, ctypes.c_int)
Move = ctypes.CFUNCTYPE(ctypes.c_int, Pointer, Pointer, ctypes.c_int, ctypes.c_int64)
Truncate = ctypes.CFUNCTYPE(ctypes.c_int, Pointer, ctypes.c_int64)
Sync = ctypes.CFUNCTYPE(ctypes.c_int, Pointer, ctypes.c_int)
Close = ctypes.CFUNCTYPE(ctypes.c_int, Pointer)


@dataclass
class Faults:
    """What fails now. ``reads`` and ``writes`` are errors of the device, ``full`` takes no more bytes."""

    reads: bool = False
    writes: bool = False
    full: bool = False


class Trace:
    """Writes down, in a file that survives the process, what the disk was given and when it was made to keep it.

    A record is its kind, the length of a name, an offset, the length of data, then both: ``w`` write, ``t`` truncate,
    ``s`` sync, ``c`` create, ``d`` delete, ``r`` rename (data is the new name), ``f`` flush the names of the folder.
    """

    HEAD = struct.Struct("<cHqI")

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, kind: str, name: str, offset: int = 0, data: bytes = b"") -> None:
        """Write a record down."""
        told = name.encode()
        _write(self._file, self.HEAD.pack(kind.encode(), len(told), offset, len(data)) + told + data)


_INSTALLED: list["Disk"] = []
_write, _pwrite, _open, _fsync = os.write, os.pwrite, os.open, os.fsync
_unlink, _replace, _close = os.unlink, os.replace, os.close


class Disk:
    """The layer. There is one in a process, from ``install`` to its end."""

    def __init__(self, trace: Trace | None = None) -> None:
        self.faults = Faults()
        self._trace = trace
        self._library = ctypes.CDLL(_sqlite3.__file__)
        self._library.sqlite3_vfs_find.restype = ctypes.POINTER(System)
        self._names: dict[int, str] = {}
        self._layers: dict[int, tuple[Methods, Methods]] = {}
        self._kept: list[Any] = []
        self._under: Any = None

    def install(self) -> "Disk":
        """Put the layer under every file that SQLite opens from now on."""
        under = self._library.sqlite3_vfs_find(None).contents
        layer = System.from_buffer_copy(under)
        layer.name = b"disk"
        self._under = under
        self._delete_under = Delete(under.delete)
        self._open_under = Open(under.open)
        layer.open = self._keep(Open(self._open))
        layer.delete = self._keep(Delete(self._delete))
        self._kept.append(layer)
        self._library.sqlite3_vfs_register(ctypes.byref(layer), 1)
        # SQLite calls it to the end of the process, whoever forgets it here.
        _INSTALLED.append(self)
        if self._trace is not None:
            watch_python(self._trace)
        return self

    def _keep(self, callback: Any) -> int:
        self._kept.append(callback)
        return ctypes.cast(callback, Pointer).value or 0

    def _note(self, kind: str, name: str, offset: int = 0, data: bytes = b"") -> None:
        if self._trace is not None:
            self._trace.note(kind, name, offset, data)

    # ------------------------------------------------------------------ files

    def _open(self, system: int, name: int | None, file: int, flags: int, told: int) -> int:
        path = ctypes.string_at(name).decode() if name else ""
        is_new = bool(path) and not Path(path).exists()
        result: int = self._open_under(ctypes.addressof(self._under), name, file, flags, told)
        if result != OK or not path:
            return result
        if is_new:
            self._note("c", path)
        self._names[file] = path
        slot = ctypes.cast(file, ctypes.POINTER(Pointer))
        slot[0] = self._methods(slot[0])
        return result

    def _methods(self, address: int) -> int:
        """Return the address of the same methods with ours in between."""
        if address not in self._layers:
            under = ctypes.cast(address, ctypes.POINTER(Methods)).contents
            layer = Methods.from_buffer_copy(under)
            layer.close = self._keep(self._closer(Close(under.close)))
            layer.read = self._keep(self._reader(Move(under.read)))
            layer.write = self._keep(self._writer(Move(under.write)))
            layer.truncate = self._keep(self._truncater(Truncate(under.truncate)))
            layer.sync = self._keep(self._syncer(Sync(under.sync)))
            self._layers[address] = (layer, under)
        return ctypes.addressof(self._layers[address][0])

    def _closer(self, under: Any) -> Any:
        def close(file: int) -> int:
            self._names.pop(file, None)
            result: int = under(file)
            return result

        return Close(close)

    def _reader(self, under: Any) -> Any:
        def read(file: int, buffer: int, amount: int, offset: int) -> int:
            result: int = IO_READ if self.faults.reads else under(file, buffer, amount, offset)
            return result

        return Move(read)

    def _writer(self, under: Any) -> Any:
        def write(file: int, buffer: int, amount: int, offset: int) -> int:
            if self.faults.writes or self.faults.full:
                return IO_WRITE if self.faults.writes else FULL
            if self._trace is not None:
                self._note("w", self._names[file], offset, ctypes.string_at(buffer, amount))
            result: int = under(file, buffer, amount, offset)
            return result

        return Move(write)

    def _truncater(self, under: Any) -> Any:
        def truncate(file: int, size: int) -> int:
            if self.faults.writes:
                return IO_WRITE
            self._note("t", self._names[file], size)
            result: int = under(file, size)
            return result

        return Truncate(truncate)

    def _syncer(self, under: Any) -> Any:
        def sync(file: int, flags: int) -> int:
            if self.faults.writes:
                return IO_SYNC
            # A power cut is played from the trace: the true disk need not be waited for.
            result: int = OK if self._trace is not None else under(file, flags)
            self._note("s", self._names[file])
            return result

        return Sync(sync)

    def _delete(self, system: int, name: int, flush: int) -> int:
        path = ctypes.string_at(name).decode()
        result: int = self._delete_under(ctypes.addressof(self._under), name, flush)
        if result == OK:
            self._note("d", path)
            if flush:
                self._note("f", str(Path(path).parent))
        return result


def watch_python(trace: Trace) -> None:  # noqa: C901 - one small function for each of ``os``
    """Write down what Python itself does to files, from now on in this process."""
    names: dict[int, str] = {}

    def open_(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        is_new = flags & os.O_CREAT and not Path(path).exists()
        handle = _open(path, flags, mode, **more)
        names[handle] = os.fspath(path)
        if is_new:
            trace.note("c", names[handle])
        elif flags & os.O_TRUNC:
            trace.note("t", names[handle], 0)
        return handle

    def close(handle: int) -> None:
        names.pop(handle, None)
        _close(handle)

    def write(handle: int, data: bytes) -> int:
        offset = os.lseek(handle, 0, os.SEEK_CUR) if handle in names else 0
        done = _write(handle, data)
        if handle in names:
            trace.note("w", names[handle], offset, bytes(data[:done]))
        return done

    def pwrite(handle: int, data: bytes, offset: int) -> int:
        done = _pwrite(handle, data, offset)
        trace.note("w", names[handle], offset, bytes(data[:done]))
        return done

    def fsync(handle: int) -> None:
        path = names[handle]
        trace.note("f" if Path(path).is_dir() else "s", path)

    def unlink(path: Any, **more: Any) -> None:
        _unlink(path, **more)
        trace.note("d", os.fspath(path))

    def replace(old: Any, new: Any, **more: Any) -> None:
        _replace(old, new, **more)
        trace.note("r", os.fspath(old), 0, os.fspath(new).encode())

    wrapped: dict[str, Callable[..., Any]] = {
        "open": open_,
        "close": close,
        "write": write,
        "pwrite": pwrite,
        "fsync": fsync,
        "unlink": unlink,
        "replace": replace,
    }
    for name, function in wrapped.items():
        setattr(os, name, function)


def no_space(*_: Any, **__: Any) -> int:
    """Be ``os.write`` on a full disk."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
