"""Sign-ins of browsers: the browser keeps a secret, the database only its digest."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from onprem_csms.db.core import logins as rows
from onprem_csms.db.engine.database import Tx
from onprem_csms.events import Event

Kind = rows.LoginKind
Owner = rows.LoginOwner

# How long a sign-in lasts without use, and in all.
IDLE: dict[Kind, timedelta] = {"operator": timedelta(hours=12), "driver": timedelta(days=30)}
LONGEST: dict[Kind, timedelta] = {"operator": timedelta(days=7), "driver": timedelta(days=90)}
# Using a page prolongs the sign-in, but not with a write for every page.
PROLONG_AFTER = timedelta(minutes=5)


class SignedIn(NamedTuple):
    """What a browser keeps of a new sign-in: its secret, and that it was signed in here (see ``devices``)."""

    secret: str
    device: str


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in that counts; ``due`` when it should be prolonged."""

    owner: Owner
    created_at: datetime
    due: bool


def begin(tx: Tx, owner: Owner) -> str:
    """Sign a browser in; returns the secret for its cookie."""
    secret = secrets.token_urlsafe(32)
    rows.drop_stale(tx)
    rows.insert(tx, digest(secret), owner, tx.now + IDLE[owner.kind])
    return secret


def find(tx: Tx, secret: str) -> Login | None:
    """Return the sign-in of a cookie, or None when it doesn't count (any more)."""
    found = rows.get(tx, digest(secret)) if secret else None
    if found is None:
        return None
    return Login(found.owner, found.created_at, tx.now - found.seen_at > PROLONG_AFTER)


def prolong(tx: Tx, secret: str) -> None:
    """Keep a sign-in alive, up to its longest."""
    login = find(tx, secret)
    if login is not None:
        kind = login.owner.kind
        rows.see(tx, digest(secret), min(tx.now + IDLE[kind], login.created_at + LONGEST[kind]))


def end(tx: Tx, secret: str) -> None:
    """Sign a browser out."""
    rows.drop(tx, digest(secret))


def end_all(tx: Tx, owner: Owner) -> None:
    """Sign out every browser of an operator or of a card, and end the streams that they read."""
    rows.drop_of(tx, owner)
    tx.emit(Event("sign-in", stream_key(owner)))


def forget_stale(tx: Tx) -> int:
    """Forget sign-ins that have run out; returns how many."""
    return rows.drop_stale(tx)


def stream_key(owner: Owner) -> str:
    """Return the key of the event ``sign-in`` that ends the streams of an operator or of a card."""
    return f"{owner.kind}:{owner.operator_id if owner.kind == 'operator' else owner.card_id}"


def digest(secret: str) -> str:
    """Return what is kept of a random secret; it needs no slow hash."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
