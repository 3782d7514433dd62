"""The six errors; each entry (pages, API, chargers, readers, command line) maps them once, anything else is a bug.

A message is an English sentence with ``{name}`` places; the entries translate the sentence and
then fill the places, so that a message is written once and read in every language.
"""

import logging
from collections.abc import Iterable
from time import monotonic


class AppError(Exception):
    """An error that its reader can act on.

    ``message`` is the untranslated sentence, ``params`` what fills its places, ``path`` the field it
    is about (dots between levels, empty when it concerns the whole).
    """

    def __init__(
        self,
        message: str,
        path: str = "",
        faults: Iterable[tuple[str, str]] = (),
        **params: object,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.faults = tuple(faults)
        self.params = params

    def __str__(self) -> str:
        """Return the English sentence with its places filled, and every fault with its path."""
        text = self.message.format(**self.params) if self.params else self.message
        if not self.faults:
            return text
        return "\n".join([text, *(f"{path}: {sentence}" for path, sentence in self.faults)])


class Invalid(AppError):
    """What was given can't be right; ``faults`` lists every one of them as (path, sentence)."""


class NotFound(AppError):
    """What was asked for does not exist."""


class Conflict(AppError):
    """It can't be done in the state things are in."""


class Forbidden(AppError):
    """The one who asks is known and has not the right."""


class Unauthenticated(AppError):
    """Nobody, or not the one they say they are."""


class PeerError(AppError):
    """A charger or a reader broke its protocol."""


class StoreError(Exception):
    """The database can't be used: wrong key, damaged file, newer schema, full disk.

    The text is a sentence for the administrator. What was asked for was not done and not answered.
    """


class Damaged(StoreError):
    """A page of the file is damaged: a fresh connection could not read it either. Nothing was changed."""


class TooSlow(StoreError):
    """A read was ended for its time, or the database is busy with others. Nothing was changed."""


class Stuck(StoreError):
    """The database answers nothing in time, not even that it can't: a restart may help."""


_SAID: dict[str, tuple[float, int]] = {}
"""When a fault of the store was said last, and how often it came since."""
_SAID_EVERY_S = 60.0
_MOST_SAID = 100


def say_fault(log: logging.Logger, place: str, fault: StoreError) -> None:
    """Log a fault of the store, the same one once a minute, wherever it comes up: a full disk fails thousands."""
    text, now = str(fault), monotonic()
    at, again = _SAID.get(text, (-_SAID_EVERY_S, 0))
    if now - at < _SAID_EVERY_S:
        _SAID[text] = (at, again + 1)
        return
    if len(_SAID) >= _MOST_SAID:
        _SAID.clear()
    _SAID[text] = (now, 0)
    log.error("%s: %s%s", place, text, f" ({again} times since it was said last)" if again else "")


def N_(text: str) -> str:  # noqa: N802 - the name that gettext's tools know
    """Mark a sentence for translation where it is written; the pages and the API translate it where it is shown."""
    return text
