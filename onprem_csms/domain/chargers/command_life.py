"""The life of a command to a charger, as a table of transitions."""

from typing import Literal

Ending = Literal["answered", "error", "timeout", "lost", "superseded"]
"""The charger answered; answered with an error; not in time; its connection ended; a newer one took its place."""
Status = Literal["wanted", "sent"] | Ending
Step = Literal["sent"] | Ending

LIFE: dict[tuple[Status, Step], Status] = {
    ("wanted", "sent"): "sent",
    # Stored beside the answer, "sent" may come behind it, or not at all when the process was killed in between.
    ("wanted", "answered"): "answered",
    ("wanted", "error"): "error",
    ("wanted", "timeout"): "timeout",
    ("wanted", "lost"): "lost",
    ("wanted", "superseded"): "superseded",
    ("sent", "answered"): "answered",
    ("sent", "error"): "error",
    ("sent", "timeout"): "timeout",
    ("sent", "lost"): "lost",
}


def after(status: Status, step: Step) -> Status:
    """Return the status after a step; RuntimeError for one that can't happen, with status and step."""
    found = LIFE.get((status, step))
    if found is None:
        message = f"a command that is {status} can't become {step}"
        raise RuntimeError(message)
    return found
