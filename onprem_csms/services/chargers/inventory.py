"""The chargers of the site, as the operator keeps them: create, change, look up, accept, archive."""

import secrets
from dataclasses import asdict
from typing import Any, Literal

from onprem_csms.db.chargers import attempts as attempt_rows
from onprem_csms.db.chargers import chargers as rows
from onprem_csms.db.chargers import connectors as connector_rows
from onprem_csms.db.chargers import intervals
from onprem_csms.db.engine.database import Tx
from onprem_csms.db.money import tariffs as tariff_rows
from onprem_csms.domain.cards import numbers
from onprem_csms.domain.chargers.chargers import (
    KEPT,
    MOST_CONNECTORS,
    REGISTRATIONS,
    Charger,
    ChargerChange,
    Connector,
    ConnectorChange,
    NewCharger,
    changed,
    check_identity,
    check_password,
)
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.records import RefusedAttempt
from onprem_csms.errors import Conflict, Invalid, NotFound
from onprem_csms.events import Event
from onprem_csms.services.chargers import credentials
from onprem_csms.services.core import audit
from onprem_csms.services.core.audit import Change

Credentials = Literal["generate", "offered", "none"]
SETTINGS_CHANGED = "charger-settings"
KEY_CHANGED = "charger-key"
"""The topic for the charger endpoint: what it knows of a charger has changed."""


def create(tx: Tx, new: NewCharger) -> Charger:
    """Add a charger; Conflict when the identity is taken in any case, Invalid with the path of the fault.

    The identity of an archived charger can be used again; its past sessions stay with it.
    """
    check_identity(new.id)
    values = asdict(new)
    del values["id"]
    columns = credentials.columns(None) | _checked(tx, ChargerChange(**values))
    there = rows.by_identity(tx, new.id)
    if there is None:
        rows.insert(tx, new.id, columns)
    elif not there.archived:
        raise Conflict("There is a charger {id} already.", path="id", id=there.id)
    elif there.id != new.id:
        raise Conflict("There was a charger {id}; use its spelling again.", path="id", id=there.id)
    else:
        rows.update(tx, new.id, {**columns, "archived_at": None})
    attempt_rows.delete(tx, new.id)
    audit.note(tx, "charger.added", new.id, name=new.name, security_profile=new.security_profile)
    _tell(tx, new.id)
    return get(tx, new.id)


def update(tx: Tx, charger_id: str, change: ChargerChange) -> Charger:
    """Change fields of a charger; NotFound, Invalid with the path."""
    before = get(tx, charger_id)
    rows.update(tx, charger_id, _checked(tx, change))
    _tell(tx, charger_id)
    after = get(tx, charger_id)
    told, named = audit.differences(before, after), changed(change)
    if not {"password", "security_profile"}.isdisjoint(named):
        tx.emit(Event(KEY_CHANGED, charger_id))
    if "password" in named:
        told["password"] = Change(before.has_password, after.has_password)
    deed = "charger.password" if set(named) == {"password"} else "charger.changed"
    audit.note(tx, deed, charger_id, **told)
    return after


def archive(tx: Tx, charger_id: str) -> None:
    """Archive a charger; its sessions stay. NotFound; Conflict while a session runs on it."""
    check_known(tx, charger_id)
    if rows.has_active_session(tx, charger_id):
        raise Conflict("A session runs on this charger. Close it first.")
    rows.update(tx, charger_id, {"archived_at": tx.now_text, **credentials.columns(None)})
    audit.note(tx, "charger.archived", charger_id)
    _tell(tx, charger_id)


def get(tx: Tx, charger_id: str) -> Charger:
    """Return a charger with its connectors; NotFound."""
    charger = rows.get(tx, charger_id)
    if charger is None:
        raise _unknown(charger_id)
    return charger


def check_known(tx: Tx, charger_id: str) -> None:
    """NotFound where there is no such charger."""
    if not rows.exists(tx, charger_id):
        raise _unknown(charger_id)


def find(tx: Tx, *, text: str = "", after: str = "", limit: int = 100) -> list[Charger]:
    """Return chargers by identity, those after ``after`` first, whose identity or name holds a text."""
    return rows.find(tx, text=text, after=after, limit=limit)


def reset_password(tx: Tx, charger_id: str) -> str:
    """Give a charger a new random password and return it; the old one is dead. NotFound."""
    password = credentials.generate()
    update(tx, charger_id, ChargerChange(password=password))
    return password


def offer_password(tx: Tx, charger_id: str, password: bytes) -> None:
    """Make a password valid beside the one there is, before the charger is told of it.

    If its answer is lost, both stay valid until one is used (white paper A01; see ``admission.settle``).
    """
    before = _identity(tx, charger_id)
    if before is None:
        raise _unknown(charger_id)
    salt, digest = before.password or (None, None)
    new = credentials.columns(credentials.seal(tx, password))
    rows.update(tx, charger_id, new | {"old_password_salt": salt, "old_password_digest": digest})


def settle_password(tx: Tx, charger_id: str, *, accepted: bool) -> None:
    """Keep the password that was offered, or go back to the one before when the charger refused it."""
    kept = _identity(tx, charger_id)
    if kept is None:
        return
    if accepted:
        rows.update(tx, charger_id, {"old_password_salt": None, "old_password_digest": None})
    elif kept.old is not None:
        rows.update(tx, charger_id, credentials.columns(kept.old))


def accept_attempt(tx: Tx, identity: str, name: str = "", *, use: Credentials = "generate") -> str | None:
    """Accept a charger that waits; returns the password to type into it. NotFound when it does not wait.

    ``use`` = "generate": a new password; "offered": what it sent last stays its password (Conflict when it
    sent none); "none": it needs none, security profile 0.
    """
    attempt = attempt_rows.get(tx, identity)
    if attempt is None:
        raise NotFound("No charger {id} is waiting.", id=identity)
    offered = attempt_rows.offered(tx, identity) if use == "offered" else None
    if use == "offered" and offered is None:
        raise Conflict("The charger {id} sent no password.", id=identity)
    if use == "offered" and attempt.keys_differ:
        raise Conflict(
            "Callers with different passwords came under the name {id}. Accept it with a new password.",
            id=identity,
        )
    password = credentials.generate() if use == "generate" else None
    profile = 0 if use == "none" else 1
    create(
        tx,
        NewCharger(
            identity,
            name,
            security_profile=profile,
            password=password,
            allow_missing_subprotocol=not attempt.subprotocols,
        ),
    )
    if offered is not None:
        rows.update(tx, identity, credentials.columns(offered))
    audit.note(tx, "charger.accepted", identity, credentials=use)
    return password


def dismiss_attempt(tx: Tx, identity: str) -> None:
    """Forget a charger that waits; it is listed again when it comes again. NotFound."""
    if not attempt_rows.delete(tx, identity):
        raise NotFound("No charger {id} is waiting.", id=identity)
    audit.note(tx, "attempt.dismissed", identity)
    tx.emit(Event("unknown", identity))


def refused_attempts(tx: Tx, *, known: bool | None = None) -> list[RefusedAttempt]:
    """Return the refused connection attempts, newest first; ``known`` False: the waiting list."""
    return attempt_rows.find(tx, known=known)


def count_waiting(tx: Tx) -> int:
    """Count the unknown chargers that wait to be accepted."""
    return attempt_rows.count_unknown(tx)


def refused_attempt_of(tx: Tx, charger_id: str) -> RefusedAttempt | None:
    """Return the last refused attempt of a charger, if there was one since it was accepted."""
    return attempt_rows.get(tx, charger_id)


def ensure_connector(tx: Tx, charger_id: str, place: Place) -> bool:
    """Add a connector that a charger speaks of, with the slug of its QR code; False when it can't have it."""
    if connector_rows.SHOWN.get(tx, (charger_id, *place)) is not None:
        return True
    if not (0 <= place.evse <= MOST_CONNECTORS and 0 <= place.connector <= MOST_CONNECTORS):
        return False
    if place.evse and not place.connector:
        return False
    if not connector_rows.has(tx, charger_id, place) and not _renumbered(tx, charger_id, place):
        slug = None if place.whole_charger else secrets.token_urlsafe(9)
        connector_rows.insert(tx, charger_id, place, slug)
    return True


def _renumbered(tx: Tx, charger_id: str, place: Place) -> bool:
    """Let a connector that was known by its number alone go by its EVSE from now on, and the reverse.

    The protocol of a charger changes with its firmware; what was printed (the QR code), typed (its name) and
    assigned (its tariff) stays with the socket. One session at a time fits an EVSE, as it fits a connector of 1.6.
    """
    if place.evse and place.connector == 1:
        before = Place(0, place.evse)
    elif not place.evse and place.connector:
        before = Place(place.connector, 1)
    else:
        return False
    if not connector_rows.has(tx, charger_id, before):
        return False
    connector_rows.move(tx, charger_id, before, place)
    intervals.move_statuses(tx, charger_id, before, place)
    tariff_rows.move_assignments(tx, charger_id, before, place)
    return True


def named_place(tx: Tx, charger_id: str, place: Place) -> Place:
    """Return the connector that a place means: where only the EVSE was named, its only one, else the place itself."""
    if not place.evse or place.connector:
        return place
    of_evse = [one for one in connector_rows.places(tx, charger_id) if one.evse == place.evse]
    return of_evse[0] if len(of_evse) == 1 else place


def update_connector(tx: Tx, charger_id: str, place: Place, change: ConnectorChange) -> Charger:
    """Change the name or the tariff of a connector; NotFound, Invalid with the path."""
    check_known(tx, charger_id)
    changes = changed(change)
    if change.tariff_id is not KEPT:
        _check_tariff(tx, change.tariff_id)
    if changes and not connector_rows.update(tx, charger_id, place, changes):
        raise NotFound("The charger has no connector {number}.", number=place.connector)
    audit.note(tx, "connector.changed", f"{charger_id} {place.label}", **changes)
    _tell(tx, charger_id)
    return get(tx, charger_id)


def by_slug(tx: Tx, slug: str) -> tuple[Charger, Connector]:
    """Return what a QR code names; NotFound."""
    found = connector_rows.place_of_slug(tx, slug)
    if found is None:
        raise NotFound("This code belongs to no connector.")
    charger_id, place = found
    charger = get(tx, charger_id)
    return charger, next(connector for connector in charger.connectors if connector.place == place)


def _unknown(charger_id: str) -> NotFound:
    return NotFound("There is no charger {id}.", id=charger_id)


def _identity(tx: Tx, charger_id: str) -> rows.Identity | None:
    found = rows.by_identity(tx, charger_id)
    return None if found is None or found.archived or found.id != charger_id else found


def _tell(tx: Tx, charger_id: str) -> None:
    tx.emit(Event(SETTINGS_CHANGED, charger_id))
    tx.emit(Event("charger", charger_id))


def _checked(tx: Tx, change: ChargerChange) -> dict[str, Any]:
    """Return the columns to write; Invalid with the path of the first fault."""
    columns = changed(change)
    columns.pop("password", None)
    if change.registration is not KEPT and change.registration not in REGISTRATIONS:
        raise Invalid("This is one of accepted, pending, rejected.", path="registration")
    if change.security_profile is not KEPT and not 0 <= change.security_profile <= 3:
        raise Invalid("The security profile is a number from 0 to 3.", path="security_profile")
    if isinstance(change.max_power_w, int) and change.max_power_w <= 0:
        raise Invalid("The power must be above zero.", path="max_power_w")
    if change.token_transform is not KEPT:
        _check_transform(change.token_transform)
    if change.tariff_id is not KEPT:
        _check_tariff(tx, change.tariff_id)
    if change.password is not KEPT:
        columns |= _password_columns(tx, change.password)
    return columns


def _password_columns(tx: Tx, password: str | None) -> dict[str, Any]:
    if password is None:
        return credentials.columns(None)
    check_password(password)
    return credentials.columns(credentials.seal(tx, password.encode()))


def _check_transform(rule: str) -> None:
    try:
        numbers.check_rule(rule)
    except Invalid as fault:
        raise Invalid(fault.message, path="token_transform") from fault


def _check_tariff(tx: Tx, tariff_id: int | None) -> None:
    if tariff_id is not None and tariff_rows.by_id(tx, tariff_id) is None:
        raise Invalid("There is no such tariff.", path="tariff_id")
