"""Which charger may connect: one decision for each connection attempt.

Whatever is wrong with who a charger says it is, the answer is the same, and so is the work done for it;
the reason is written down for the operator only.
"""

from dataclasses import dataclass
from typing import Literal

from onprem_csms.db.chargers import attempts as attempt_rows
from onprem_csms.db.chargers import chargers as rows
from onprem_csms.db.chargers.chargers import Identity
from onprem_csms.db.engine.database import Tx
from onprem_csms.domain.chargers.chargers import (
    LONGEST_IDENTITY,
    LONGEST_PASSWORD,
    Charger,
    ConnectionAttempt,
    NewCharger,
    Registration,
    check_identity,
)
from onprem_csms.errors import N_, Invalid
from onprem_csms.events import Event
from onprem_csms.services.chargers import credentials, inventory

Reason = Literal[
    "unknown",
    "archived",
    "no_credentials",
    "wrong_user",
    "wrong_password",
    "no_password_set",
    "not_encrypted",
    "bad_identity",
    "no_subprotocol",
    "unknown_subprotocol",
    "pinned_to_another",
    "already_connected",
    "too_many_tries",
    "foreign_origin",
]
REASONS: dict[Reason, str] = {
    "unknown": N_("The charger is not known here."),
    "archived": N_("The charger was archived."),
    "no_credentials": N_("The charger sent no password."),
    "wrong_user": N_("The user name is not the charger's identity."),
    "wrong_password": N_("The password is wrong."),
    "no_password_set": N_("The charger has no password here yet."),
    "not_encrypted": N_("The charger's security profile asks for an encrypted connection."),
    "bad_identity": N_("The address holds no usable identity."),
    "no_subprotocol": N_("The charger named no OCPP version."),
    "unknown_subprotocol": N_("The charger speaks no OCPP version that is spoken here."),
    "pinned_to_another": N_("The charger is pinned to another OCPP version than it speaks."),
    "already_connected": N_("A charger of this identity is connected and answers."),
    "foreign_origin": N_("A page of another site opened the connection; see ocpp.origins."),
    "too_many_tries": N_("There were too many wrong tries; the password was not looked at."),
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """A charger that may come in, with what its connection needs to know of it."""

    charger_id: str
    registration: Registration
    allow_missing_subprotocol: bool
    pinned_protocol: str = ""
    password_form: str = ""
    settle: bool = False
    key: bytes = b""
    """The digest that its key fitted; empty where it needed none."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An attempt that is turned away, for whom, and why."""

    identity: str
    reason: Reason
    known: bool


Admission = Admitted | Refused


def judge(tx: Tx, attempt: ConnectionAttempt) -> Admission:
    """Decide about an attempt without writing anything.

    The first of the identities that the address may mean and that is known is the charger; a longer form
    counts only where exactly one charger fits.
    """
    charger = _find(tx, attempt)
    identity = attempt.candidates[0] if charger is None else charger.id
    # Compared even when nobody is known, so that the answer takes as long.
    match = credentials.match(tx, charger, (attempt.password or b"")[: 4 * LONGEST_PASSWORD])
    if charger is None:
        return Refused(identity[:LONGEST_IDENTITY], "unknown", known=False)
    reason = _objection(charger, attempt, match is not None)
    if reason is not None:
        return Refused(identity, reason, known=not charger.archived)
    form = match.form if match is not None else ""
    settle = match is not None and (charger.old is not None or charger.password_form != form)
    return Admitted(
        charger.id,
        charger.registration,
        charger.allow_missing_subprotocol,
        charger.pinned_protocol,
        form,
        settle=settle,
        key=_key(charger, match),
    )


def _key(charger: Identity, match: credentials.Match | None) -> bytes:
    sealed = None if match is None else charger.old if match.old else charger.password
    return b"" if sealed is None else sealed.digest


def _find(tx: Tx, attempt: ConnectionAttempt) -> Identity | None:
    for candidate in attempt.candidates:
        charger = rows.by_identity(tx, candidate)
        if charger is not None:
            return charger
    return None


def _objection(charger: Identity, attempt: ConnectionAttempt, matches: bool) -> Reason | None:
    if charger.archived:
        return "archived"
    # Profile 3 asks for a client certificate besides, and none are issued or looked at yet.
    if charger.security_profile == 3 or (charger.security_profile == 2 and not attempt.encrypted):
        return "not_encrypted"
    if charger.security_profile == 0 and charger.password is None:
        return None
    if charger.password is None:
        return "no_password_set"
    if attempt.password is None:
        return "no_credentials" if charger.security_profile else None
    if (attempt.user or "").casefold() not in {
        charger.id.casefold(),
        *(name.casefold() for name in attempt.candidates),
    }:
        return "wrong_user"
    return None if matches else "wrong_password"


def settle(tx: Tx, attempt: ConnectionAttempt, admitted: Admitted) -> None:
    """Note which form of the password fitted; of two that were valid the other one dies."""
    charger = rows.by_identity(tx, admitted.charger_id)
    if charger is None or charger.archived or attempt.password is None:
        return
    match = credentials.match(tx, charger, attempt.password)
    if match is None:
        return
    columns: dict[str, str | bytes | None] = {
        "password_form": match.form,
        "old_password_salt": None,
        "old_password_digest": None,
    }
    if match.old and charger.old is not None:
        columns |= {"password_salt": charger.old.salt, "password_digest": charger.old.digest}
    rows.update(tx, admitted.charger_id, columns)


def record_refusal(tx: Tx, attempt: ConnectionAttempt, refused: Refused) -> Admission:
    """Write down a refused attempt; returns Admitted when the site accepts every charger.

    A stranger waits in the list (``ask``), is accepted at once (``accept``) or is only counted (``refuse``).
    """
    if refused.reason == "unknown" and tx.settings.unknown_chargers == "accept":
        admitted = _welcome(tx, attempt)
        if admitted is not None:
            return admitted
    sealed = (
        None if attempt.password is None else credentials.seal(tx, attempt.password[: 4 * LONGEST_PASSWORD])
    )
    strange = refused.reason == "unknown"
    attempt_rows.record(
        tx,
        {
            "identity": refused.identity,
            "remote": attempt.remote,
            "path": attempt.path[:500],
            "subprotocols": ", ".join(attempt.subprotocols)[:200],
            "with_credentials": attempt.password is not None,
            "reason": refused.reason,
            "known": refused.known,
            "keys_differ": strange and _keys_differ(tx, refused.identity, attempt),
            "offered_salt": sealed.salt if sealed and strange else None,
            "offered_digest": sealed.digest if sealed and strange else None,
        },
    )
    attempt_rows.trim(tx)
    tx.emit(Event("charger" if refused.known else "unknown", refused.identity))
    return refused


def _keys_differ(tx: Tx, identity: str, attempt: ConnectionAttempt) -> bool:
    """Tell whether another caller used the name before: with another key, or from elsewhere with a key or without."""
    before = attempt_rows.get(tx, identity)
    if before is None or before.known:
        return False
    offered = attempt_rows.offered(tx, identity)
    if offered is not None and attempt.password is not None:
        return not credentials.fits(tx, offered, attempt.password[: 4 * LONGEST_PASSWORD])
    return (offered is None) != (attempt.password is None) and before.remote != attempt.remote


def holds(tx: Tx, charger_id: str, key: bytes) -> bool:
    """Tell whether a charger that came in with a key (the digest it fitted, empty for none) would still come in."""
    charger = rows.by_identity(tx, charger_id)
    if charger is None or charger.archived:
        return False
    valid = {sealed.digest for sealed in (charger.password, charger.old) if sealed is not None}
    return key in valid if key else charger.security_profile == 0


def _welcome(tx: Tx, attempt: ConnectionAttempt) -> Admitted | None:
    """Make a charger of a stranger; the password it came with stays its password."""
    identity, key = attempt.candidates[0], b""
    try:
        check_identity(identity)
    except Invalid:
        return None
    charger: Charger = inventory.create(
        tx,
        NewCharger(
            identity,
            security_profile=0 if attempt.password is None else 1,
            allow_missing_subprotocol=not attempt.subprotocols,
        ),
    )
    if attempt.password is not None:
        sealed = credentials.seal(tx, attempt.password)
        rows.update(tx, identity, credentials.columns(sealed))
        key = sealed.digest
    return Admitted(charger.id, charger.registration, charger.allow_missing_subprotocol, key=key)
