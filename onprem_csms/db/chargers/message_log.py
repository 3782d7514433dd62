"""Writing raw messages, cheaply: one row of ``packs`` for each COMMIT holds all messages that came before it.

A row for each message cost a fifth of a call. A pack is msgpack of its messages, compressed, and beside it
the list of the chargers that speak in it. Its id is the time of the COMMIT in milliseconds, so packs are
found by time as well; a message's id is the pack and the position in it. ``message_packs`` regroups what is
older by charger.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import zstandard

from onprem_csms.clock import to_millis
from onprem_csms.db.engine.caches import Batch, Cache
from onprem_csms.db.engine.tx import Tx

POSITION_BITS = 10
"""A pack holds at most 1024 messages; with the time above them a message's id stays below 2**53, as JSON wants it."""
LARGEST_PACK = 1 << POSITION_BITS
LEVEL = 1


class Message(NamedTuple):
    """A raw message; ``direction`` is "in" or "out"."""

    charger_id: str
    at: datetime
    direction: str
    data: bytes


class Packed(NamedTuple):
    """A message in a pack: milliseconds since 1970, whether it came from the charger."""

    charger_id: str
    millis: int
    incoming: bool
    data: bytes


class PackRow(NamedTuple):
    """A pack as it is stored; ``upto`` counts the bytes of all packs until and with this one."""

    id: int
    upto: int
    chargers: str
    data: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Packed]).decode


def compress(plain: bytes) -> bytes:
    """Compress; quick rather than small."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(plain)


def expand(data: bytes) -> bytes:
    """Undo ``compress``."""
    return zstandard.ZstdDecompressor().decompress(data)


def unpack(plain: bytes) -> list[Packed]:
    """Return the messages of an expanded pack."""
    return _decode(plain)


def marked(charger_id: str) -> str:
    """Return what stands in the list of a pack for a charger, and for no other."""
    return f"\n{charger_id}\n"


def _write(tx: Tx, messages: Sequence[Message]) -> None:
    for begin in range(0, len(messages), LARGEST_PACK):
        _write_pack(tx, messages[begin : begin + LARGEST_PACK])


def _write_pack(tx: Tx, messages: Sequence[Message]) -> None:
    last, upto = _LAST.get(tx, 0) or _last(tx)
    packed = [
        Packed(charger_id, to_millis(at), direction == "in", data)
        for charger_id, at, direction, data in messages
    ]
    data = compress(_encode(packed))
    chargers = marked("\n".join({one.charger_id for one in messages}))
    row = PackRow(max(last + 1, to_millis(tx.now)), upto + len(data), chargers, data)
    tx.execute("INSERT INTO packs (id, upto, chargers, data) VALUES (?, ?, ?, ?)", row)
    _LAST.set(tx, 0, (row.id, row.upto))


def drop(tx: Tx, last_id: int) -> None:
    """Take packs away, up to this one, whose messages are kept elsewhere now."""
    tx.execute("DELETE FROM packs WHERE id <= ?", (last_id,))


def _last(tx: Tx) -> tuple[int, int]:
    """Return id and ``upto`` of the newest pack, those that were regrouped included."""
    row = tx.one(
        """
        SELECT max(id) AS id, max(upto) AS upto
        FROM (
            SELECT id, upto FROM (SELECT id, upto FROM packs ORDER BY id DESC LIMIT 1)
            UNION ALL
            SELECT last_id >> 10, 0 FROM (SELECT last_id FROM charger_packs ORDER BY id DESC LIMIT 1)
        )
        """
    )
    return (0, 0) if row is None or row["id"] is None else (row["id"], row["upto"])


MESSAGES: Batch[Message] = Batch("raw messages", _write, ("packs", "charger_packs"))
_LAST: Cache[int, tuple[int, int]] = Cache("newest pack", 1)
