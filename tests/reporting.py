"""Short words for what a charger reports in tests."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.reports import Report
from onprem_csms.domain.charging.sessions import Reading


def begin(place: tuple[str, int], uid: str, meter: int, at: datetime, **more: Any) -> Report:
    """A session begins at (charger, connector)."""
    charger_id, connector = place
    return Report(
        charger_id, "begin", None, Place(0, connector), at, token=Token(uid), register_wh=meter, **more
    )


def readings(place: tuple[str, int], reference: str | None, readings: Iterable[Reading]) -> Report:
    """A charger sends readings of (charger, connector)."""
    charger_id, connector = place
    told = tuple(readings)
    return Report(charger_id, "update", reference, Place(0, connector), told[-1].at, readings=told)


def end(
    charger_id: str, reference: str | None, meter: int | None, at: datetime, uid: str = "", **more: Any
) -> Report:
    """A session ends."""
    token = Token(uid) if uid else None
    return Report(charger_id, "end", reference, None, at, token=token, register_wh=meter, **more)
