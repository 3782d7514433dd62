"""Sign-ins of browsers: the browser keeps a secret, the database only its digest."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from onprem_csms.clock import from_text
from onprem_csms.db.access import operators as db
from onprem_csms.db.engine.database import Tx

Kind = Literal["operator", "driver"]

# How long a sign-in lasts without use, and in all.
IDLE: dict[str, timedelta] = {"operator": timedelta(hours=12), "driver": timedelta(days=30)}
LONGEST: dict[str, timedelta] = {"operator": timedelta(days=7), "driver": timedelta(days=90)}
# Using a page prolongs the sign-in, but not with a write for every page.
PROLONG_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose sign-in it is: an operator's, or that of a card's holder."""

    kind: Kind
    operator_id: int | None = None
    token_uid: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in that counts; ``due`` when it should be prolonged."""

    owner: Owner
    created_at: datetime
    due: bool


def begin(tx: Tx, owner: Owner) -> str:
    """Sign a browser in; returns the secret for its cookie."""
    secret = secrets.token_urlsafe(32)
    db.drop_stale_logins(tx)
    expires = tx.now + IDLE[owner.kind]
    db.add_login(tx, digest(secret), owner.kind, (owner.operator_id, owner.token_uid), expires)
    return secret


def find(tx: Tx, secret: str) -> Login | None:
    """Return the sign-in of a cookie, or None when it doesn't count (any more)."""
    row = db.login(tx, digest(secret)) if secret else None
    if row is None:
        return None
    owner = Owner(row["kind"], row["operator_id"], row["token_uid"])
    due = tx.now - from_text(row["seen_at"]) > PROLONG_AFTER
    return Login(owner, from_text(row["created_at"]), due)


def prolong(tx: Tx, secret: str) -> None:
    """Keep a sign-in alive, up to its longest."""
    login = find(tx, secret)
    if login is not None:
        kind = login.owner.kind
        db.see_login(tx, digest(secret), min(tx.now + IDLE[kind], login.created_at + LONGEST[kind]))


def end(tx: Tx, secret: str) -> None:
    """Sign a browser out."""
    db.drop_login(tx, digest(secret))


def end_all(tx: Tx, owner: Owner) -> None:
    """Sign out every browser of an operator or of a card."""
    db.drop_logins_of(tx, owner.operator_id, owner.token_uid)


def digest(secret: str) -> str:
    """Return what is kept of a random secret; it needs no slow hash."""
    return sha256(secret.encode()).hexdigest()
