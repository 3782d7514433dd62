"""The end of the ledger's chain, kept in a small file beside the database.

Whoever cuts entries off, or puts an older file or log back, leaves a ledger that is whole in itself; this file
still knows how far it went. Two lines are written in turn, so that a power cut spoils the older one at most.
"""

import os
from pathlib import Path
from zlib import crc32

from onprem_csms.db.money.ledger import Head

_LINE_BYTES = 95  # 20 digits, 64 hexadecimal digits, 8 of the checksum, two spaces, one line feed
_LINES = 2


def path_of(database: Path) -> Path:
    """Return where the head of a database's ledger is kept."""
    return database.with_suffix(".head")


def read(path: Path) -> Head | None:
    """Return the head that was kept last, None when there is none that can be read."""
    return max((head for head in _lines(path) if head is not None), default=None)


def write(path: Path, head: Head) -> None:
    """Keep a head durably, over the older one of the two lines. OSError."""
    lines = _lines(path)
    oldest = min(range(_LINES), key=lambda at: lines[at] or Head(-1, b""))
    text = f"{head.id:020d} {head.hash.hex()}"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, f"{text} {crc32(text.encode()):08x}\n".encode(), oldest * _LINE_BYTES)
        os.fsync(handle)
    finally:
        os.close(handle)


def _lines(path: Path) -> list[Head | None]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    return [_parse(content[at * _LINE_BYTES : (at + 1) * _LINE_BYTES]) for at in range(_LINES)]


def _parse(line: bytes) -> Head | None:
    parts = line.decode("ascii", "replace").split()
    if len(parts) != 3 or f"{crc32(' '.join(parts[:2]).encode()):08x}" != parts[2]:
        return None
    return Head(int(parts[0]), bytes.fromhex(parts[1]))
