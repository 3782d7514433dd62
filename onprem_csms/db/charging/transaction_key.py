"""The key of this site's transaction numbers, see ``domain.charging.numbers``."""

import secrets

from onprem_csms.db.engine.caches import Cache
from onprem_csms.db.engine.tx import Tx

_KEY: Cache[None, bytes] = Cache("key of transaction numbers", 1)


def get(tx: Tx) -> bytes:
    """Return the key; the first asking makes it, and a reader gets an empty one before that."""
    key = _KEY.get(tx, None)
    if key is None:
        text: str | None = tx.value("SELECT value FROM meta WHERE key = 'transaction_key'")
        if text is None and tx.state is None:
            return b""  # a reader, before any session began
        if text is None:
            text = secrets.token_hex(16)
            tx.execute("INSERT INTO meta (key, value) VALUES ('transaction_key', ?)", (text,))
        key = bytes.fromhex(text)
        _KEY.set(tx, None, key)
    return key
