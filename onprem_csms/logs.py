"""What is logged: a line for each thing, and nobody who is quoted can write a line of their own."""

import logging
import re
import sys

# Control characters, the line ends of Unicode, and what turns the direction of writing.
_UNSAFE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff]"
)
_LONGEST = 10_000


class Escaping(logging.Formatter):
    """Escapes what a peer sent; the lines of a traceback follow theirs, each with a mark in front."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of the library
        """Return the line."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name of the library
        """Return a traceback."""
        told = super().formatException(ei)  # type: ignore[arg-type]
        return "\n".join(f"  | {escaped(line)}" for line in told.split("\n"))


def escaped(text: str) -> str:
    """Return a text as one line that shows in a terminal as it is, cut where it is endless."""
    shown = _UNSAFE.sub(
        lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text
    )
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} …"


def begin(level: str) -> None:
    """Log to the standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Escaping("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
