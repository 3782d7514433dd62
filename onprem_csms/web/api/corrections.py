"""``/sessions/{id}/book`` and ``…/corrections``: what a person decides of a session that has ended."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from onprem_csms.domain.charging.sessions import SessionState
from onprem_csms.errors import Invalid
from onprem_csms.services.cards import cards
from onprem_csms.services.charging import corrections, sessions
from onprem_csms.services.charging.corrections import Decision
from onprem_csms.services.core.context import Tx
from onprem_csms.web.api.fields import UNSET, Given, Id, Moment, Page, Paged, UnsetType, page_from
from onprem_csms.web.api.route import Call
from onprem_csms.web.api.sessions import Session, show

Register = Annotated[int, Meta(ge=0, le=10**12, description="Wh")]


class NewCorrection(Given, frozen=True, kw_only=True):
    """What is to hold of the session; a field that is left out stays. Between the registers the readings count.

    ``tariff`` null: it costs nothing. The payer is a ``wallet`` or that of a ``token``; ``wallet`` null: nobody pays.
    """

    reason: Annotated[str, Meta(min_length=1, max_length=corrections.LONGEST_REASON)]
    began_at: Moment | UnsetType = UNSET
    ended_at: Moment | UnsetType = UNSET
    meter_start_wh: Register | UnsetType = UNSET
    meter_stop_wh: Register | UnsetType = UNSET
    tariff: Id | UnsetType | None = UNSET
    wallet: Id | UnsetType | None = UNSET
    token: Annotated[str, Meta(max_length=36)] | UnsetType = UNSET


class Correction(Struct, frozen=True, kw_only=True):
    """A decision that was made, with the session's figures before and after it: Wh and minor units."""

    number: int
    at: datetime
    actor: str
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]


async def book(call: Call[NewCorrection, None]) -> Session:
    """Book a session whose bill waits for a person."""
    return show(await call.write(_decide, call.number(), call.body, "waiting"))


async def correct(call: Call[NewCorrection, None]) -> Session:
    """Correct a session that was booked: what changes is a new ledger entry; the same again changes nothing."""
    return show(await call.write(_decide, call.number(), call.body, "ended"))


async def find(call: Call[None, Paged]) -> Page[Correction]:
    """List what was decided of a session, the first decision first."""
    return page_from(await call.read(_of_session, call.number()), call.query, _shown)


def _of_session(tx: Tx, session_id: int) -> list[corrections.Past]:
    sessions.get(tx, session_id)
    return corrections.of_session(tx, session_id)


def _decide(tx: Tx, session_id: int, new: NewCorrection, only: SessionState) -> sessions.SessionView:
    corrections.decide(tx, session_id, _decision(tx, new), only=only)
    return sessions.get(tx, session_id)


def _decision(tx: Tx, new: NewCorrection) -> Decision:
    return Decision(
        new.reason,
        None if new.began_at is UNSET else new.began_at,
        None if new.ended_at is UNSET else new.ended_at,
        None if new.meter_start_wh is UNSET else new.meter_start_wh,
        None if new.meter_stop_wh is UNSET else new.meter_stop_wh,
        None if new.tariff is UNSET else new.tariff or 0,
        _payer(tx, new),
    )


def _payer(tx: Tx, new: NewCorrection) -> int | None:
    if new.token is UNSET:
        return None if new.wallet is UNSET else new.wallet or 0
    if new.wallet is not UNSET:
        raise Invalid("Name either a wallet or a token.", path="wallet")
    card = cards.get(tx, new.token)
    if card.wallet is None:
        raise Invalid("This card has no wallet.", path="token")
    return card.wallet.id


def _shown(past: corrections.Past) -> Correction:
    return Correction(
        number=past.number,
        at=past.at,
        actor=past.actor,
        reason=past.reason,
        before=dict(past.before),
        after=dict(past.after),
    )
