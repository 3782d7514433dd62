"""Reading raw messages: the newest packs first, and no further than what is asked for needs."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from onprem_csms.clock import to_millis
from onprem_csms.db.chargers import message_log
from onprem_csms.db.chargers.message_log import POSITION_BITS
from onprem_csms.db.engine.tx import Tx

NEWEST = 2**62
_AT_ONCE = 32
"""Packs that are in memory at a time."""


class MessageRow(NamedTuple):
    """A message as it was on the wire; ``millis`` since 1970."""

    id: int
    millis: int
    incoming: bool
    data: bytes

    @property
    def text(self) -> str:
        """Return it as text, whatever it holds."""
        return self.data.decode("utf-8", "replace")


class Search(NamedTuple):
    """What is looked for: of one direction (None: both), holding a text in any case, before an id, since a time."""

    incoming: bool | None = None
    text: str = ""
    before: int = NEWEST
    since_millis: int = 0
    limit: int = 100


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(list[MessageRow]).decode


def find(tx: Tx, charger_id: str, search: Search) -> list[MessageRow]:
    """Return a charger's messages that fit, newest first."""
    text = search.text.encode().lower()
    found: list[MessageRow] = []
    for messages in _packs(tx, charger_id, search, text):
        for message in reversed(messages):
            if _fits(message, search, text):
                found.append(message)
                if len(found) == search.limit:
                    return found
        if messages and messages[0].millis < search.since_millis:
            break
    return found


def _fits(message: MessageRow, search: Search, text: bytes) -> bool:
    return (
        message.id < search.before
        and search.incoming in (None, message.incoming)
        and message.millis >= search.since_millis
        and (not text or text in message.data.lower())
    )


def _packs(tx: Tx, charger_id: str, search: Search, text: bytes) -> Iterator[list[MessageRow]]:
    """Yield a charger's messages of each pack, the newest pack first; packs without the text are not unpacked."""
    for id, data in _fresh(tx, charger_id, search.before):
        plain = message_log.expand(data)
        if not text or text in plain.lower():
            yield [
                MessageRow(id << POSITION_BITS | position, one.millis, one.incoming, one.data)
                for position, one in enumerate(message_log.unpack(plain))
                if one.charger_id == charger_id
            ]
    for _, data in _regrouped(tx, charger_id, search.before):
        plain = message_log.expand(data)
        if not text or text in plain.lower():
            yield decode(plain)


def _fresh(tx: Tx, charger_id: str, before: int) -> Iterator[tuple[int, bytes]]:
    newest = min(before >> POSITION_BITS, NEWEST)
    while rows := tx.all(
        """
        SELECT id, data
        FROM packs
        WHERE id <= ?
        AND instr(chargers, ?) > 0
        ORDER BY id DESC
        LIMIT ?
        """,
        (newest, message_log.marked(charger_id), _AT_ONCE),
    ):
        yield from ((row["id"], row["data"]) for row in rows)
        newest = rows[-1]["id"] - 1


def _regrouped(tx: Tx, charger_id: str, before: int) -> Iterator[tuple[int, bytes]]:
    """Yield the packs that hold a charger's messages alone."""
    first = before
    while rows := tx.all(
        """
        SELECT first_id, data
        FROM charger_packs
        WHERE charger_id = ?
        AND first_id < ?
        ORDER BY first_id DESC
        LIMIT ?
        """,
        (charger_id, first, _AT_ONCE),
    ):
        yield from ((row["first_id"], row["data"]) for row in rows)
        first = rows[-1]["first_id"]


def since(tx: Tx, hours: int) -> int:
    """Return the milliseconds since 1970 of a moment some hours ago."""
    return to_millis(tx.now) - hours * 3_600_000
