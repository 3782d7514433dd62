"""A power cut, played from what a process wrote down of its writing (see ``bench.disk``).

What was made durable is there. Of the rest each write is there, missing, or torn at a sector, in any mixture; of the
names that were made, taken away or changed since the folder was flushed, those up to some moment count.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.disk import Trace

SECTOR = 512
# SQLite flushes the folder with the first sync of these, by itself.
_NAMED_WITH_SYNC = ("-wal", "-journal")


class Record(NamedTuple):
    """A line of the trace."""

    kind: str
    name: str
    offset: int
    data: bytes


def records(trace: Path) -> Iterator[Record]:
    """Return what a trace holds; a record that the process died in is left out."""
    content, at, head = trace.read_bytes(), 0, Trace.HEAD
    while at + head.size <= len(content):
        kind, named, offset, size = head.unpack_from(content, at)
        at += head.size
        if at + named + size > len(content):
            return
        name = content[at : at + named].decode()
        yield Record(kind.decode(), Path(name).name, offset, content[at + named : at + named + size])
        at += named + size


@dataclass
class File:
    """A file's durable content, and what was done to it since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Record] = field(default_factory=list)

    def sync(self) -> None:
        """Make all of it durable."""
        for record in self.pending:
            _apply(self.durable, record)
        self.pending.clear()

    def after_cut(self, chance: random.Random) -> bytes:
        """Return what a power cut leaves."""
        content = bytearray(self.durable)
        for record in self.pending:
            if chance.random() < 0.5:
                _apply(content, record, torn=chance if chance.random() < 0.3 else None)
        return bytes(content)


def _apply(content: bytearray, record: Record, torn: random.Random | None = None) -> None:
    if record.kind == "t":
        del content[record.offset :]
        content.extend(bytes(record.offset - len(content)))
        return
    end = record.offset + len(record.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    for begin in range(record.offset, end, SECTOR):
        part = min(begin + SECTOR, end)
        if torn is None or torn.random() < 0.5:
            content[begin:part] = record.data[begin - record.offset : part - record.offset]


class Medium:
    """A folder as the disk has it: names and files, durable and not."""

    def __init__(self, folder: Path | None = None) -> None:
        there = {path.name: path.read_bytes() for path in folder.iterdir()} if folder is not None else {}
        self._files = {name: File(bytearray(content)) for name, content in there.items()}
        self._durable = dict(self._files)
        self._changes: list[tuple[str, str, File | None]] = []

    def take(self, all_records: Iterable[Record]) -> None:
        """Take what was written."""
        for record in all_records:
            self._take(record)

    def _take(self, record: Record) -> None:
        kind, name = record.kind, record.name
        if kind == "c" and name in self._files:
            # Two connections made it at once, or it was made anew between being looked for and opened.
            return
        if kind == "c":
            self._files[name] = File()
            self._changes.append((name, "", self._files[name]))
        elif kind == "d":
            self._files.pop(name, None)
            self._changes.append((name, "", None))
        elif kind == "r":
            self._rename(name, Path(record.data.decode()).name)
        elif kind == "f":
            self._flush_names()
        elif kind == "s":
            self._sync(name)
        elif name in self._files:
            self._files[name].pending.append(record)

    def _rename(self, old: str, new: str) -> None:
        moved = self._files[new] = self._files.pop(old)
        self._changes.append((new, old, moved))

    def _sync(self, name: str) -> None:
        self._files[name].sync()
        if name.endswith(_NAMED_WITH_SYNC) and self._durable.get(name) is not self._files[name]:
            self._flush_names()

    def _flush_names(self) -> None:
        _rename_all(self._durable, self._changes)
        self._changes.clear()

    def cut(self, chance: random.Random, to: Path) -> None:
        """Write what a power cut leaves into a new folder."""
        names = dict(self._durable)
        _rename_all(names, self._changes[: chance.randint(0, len(self._changes))])
        to.mkdir(mode=0o700)
        for name, file in names.items():
            path = to / name
            path.touch(mode=0o600)
            path.write_bytes(file.after_cut(chance))


def _rename_all(names: dict[str, File], changes: Iterable[tuple[str, str, File | None]]) -> None:
    for name, old, file in changes:
        names.pop(old, None)
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file
