"""The table ``meta``: single values of the whole installation."""

from onprem_csms.db.engine.tx import Tx


def get(tx: Tx, key: str) -> str | None:
    """Return a value."""
    found: str | None = tx.value("SELECT value FROM meta WHERE key = ?", (key,))
    return found


def set_value(tx: Tx, key: str, value: str) -> None:
    """Keep a value."""
    tx.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
