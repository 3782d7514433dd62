"""The life of a session, as a table of transitions; pure."""

from typing import Literal

from onprem_csms.domain.charging.sessions import ClosedBy, SessionState

SessionEvent = Literal["end_reported", "closed_here", "went_on", "set_aside", "decided"]
Stage = tuple[SessionState, ClosedBy]

_TRANSITIONS: dict[tuple[Stage, SessionEvent], Stage] = {
    (("active", ""), "end_reported"): ("ended", "charger"),
    (("active", ""), "closed_here"): ("ended", "csms"),
    # The charger's own word counts more than what was closed here at the last reading.
    (("ended", "csms"), "end_reported"): ("ended", "charger"),
    (("waiting", "csms"), "end_reported"): ("ended", "charger"),
    # It was closed here, and the charger went on.
    (("ended", "csms"), "went_on"): ("active", ""),
    (("waiting", "csms"), "went_on"): ("active", ""),
    # Its bill is beyond what can be: nothing is booked before a person has looked.
    (("ended", "charger"), "set_aside"): ("waiting", "charger"),
    (("ended", "csms"), "set_aside"): ("waiting", "csms"),
    # A person's word counts more than the charger's, and can be changed by a person only.
    (("waiting", "charger"), "decided"): ("ended", "operator"),
    (("waiting", "csms"), "decided"): ("ended", "operator"),
    (("ended", "charger"), "decided"): ("ended", "operator"),
    (("ended", "csms"), "decided"): ("ended", "operator"),
    (("ended", "operator"), "decided"): ("ended", "operator"),
}


def can(stage: Stage, event: SessionEvent) -> bool:
    """Tell whether an event changes a session that is at this stage."""
    return (stage, event) in _TRANSITIONS


def after(stage: Stage, event: SessionEvent) -> Stage:
    """Return the stage after an event; ValueError names stage and event where there is none."""
    following = _TRANSITIONS.get((stage, event))
    if following is None:
        raise ValueError(f"a session that is {' by '.join(filter(None, stage))} cannot take {event}")
    return following
