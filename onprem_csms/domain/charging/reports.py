"""What a charger reports of a session, one neutral form for every version of OCPP; pure.

1.6 has three messages for it, 2.x has one; all of them become a ``Report``, and one function of the services
takes it (``services.charging.reports.take``).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from onprem_csms.domain.cards.tokens import Token
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.charging.sessions import Activity, Reading, StopReason, Verdict

Step = Literal["begin", "update", "end"]


@dataclass(frozen=True, slots=True)
class Report:
    """One message of a charger about one of its transactions.

    ``reference`` is the transaction's id as the charger tells it, decimal text in 1.6; None where it told none:
    with ``begin`` it then wants one from us, with ``update`` the readings belong to whatever runs at the place.
    ``place`` is None where the message names none. ``at`` is the time told where it is plausible, else the time
    of receipt, and then ``flags`` holds ``clock``; ``told`` is the charger's own text of it. The time of receipt is
    the transaction's ``tx.now``. ``sequence`` is the charger's own count within the transaction. ``offline``: it
    happened while the charger had no connection, so it is history. ``register_wh`` is the energy register that
    belongs to the step itself (meterStart, meterStop), in Wh; readings of their own stand in ``readings``.
    ``ordered_by`` is the number under which we asked for this start (2.x remoteStartId).

    What depends on the version of the protocol is data of the report. ``own_reference``: the charger chose the
    reference, so one that is not known begins its session whatever the step (its begin was lost or comes later), and
    a token in an update is the card of a session that began without one.
    """

    charger_id: str
    step: Step
    reference: str | None
    place: Place | None
    at: datetime
    told: str = ""
    sequence: int | None = None
    offline: bool = False
    token: Token | None = None
    register_wh: int | None = None
    readings: tuple[Reading, ...] = ()
    activity: Activity | None = None
    reason: StopReason | None = None
    reservation_id: int | None = None
    ordered_by: int | None = None
    own_reference: bool = False
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """What the charger is told: its transaction's id, the verdict on the token it showed, and the money.

    ``session_id`` is None where the report belongs to no session and was put onto the review list. ``cost`` is the
    session's so far, ``limit`` what it may cost at most (None: no limit), both in minor units of ``currency``; None
    for a charger that did not choose its reference: its version knows no cost. ``stop``: the session should end now.
    ``place`` is where it charges, ``active`` whether it has not ended.
    """

    session_id: int | None
    reference: str | None = None
    verdict: Verdict | None = None
    cost: int | None = None
    limit: int | None = None
    currency: str = ""
    stop: bool = False
    place: Place | None = None
    active: bool = False
