"""A charger that is told to stop and goes on: what is tried next, and when; pure."""

from typing import Literal, get_args

Means = Literal["stop", "limit", "unavailable", "unlock", "reset"]
"""In the order in which they are tried: the stop itself, a limit of 0 A for the session, the connector out of service,
its cable released, the charger restarted."""
MEANS: tuple[Means, ...] = get_args(Means)
STOPS_FIRST = 2
WAITS_S = (10, 20, 30)
"""After the first try, the second, and each further means."""
PATIENT_TRIES, SELDOM_S = 12, 300
OBEYED_WITHIN_S = 60
"""Who goes on for longer is shown to a person."""


def means(tries: int, furthest: Means) -> Means:
    """Return what to try after so many tries, as far as the site allows."""
    allowed = MEANS[: MEANS.index(furthest) + 1]
    beyond = tries - STOPS_FIRST + 1
    return allowed[beyond] if 0 < beyond < len(allowed) else "stop"


def wait_s(tries: int) -> int:
    """Return how long a try is given before the next one, in seconds."""
    if tries >= PATIENT_TRIES:
        return SELDOM_S
    return WAITS_S[min(max(tries, 1), len(WAITS_S)) - 1]
