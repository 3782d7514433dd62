"""The kinds of values that bodies and queries are made of, and lists in pages."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from onprem_csms.domain.money.currencies import CURRENCIES
from onprem_csms.errors import Invalid
from onprem_csms.web.api.route import BIGGEST_NUMBER

Item = TypeVar("Item")
Shown = TypeVar("Shown")

Id = Annotated[int, Meta(ge=1, le=BIGGEST_NUMBER, description="The number of a thing.")]
Text = Annotated[str, Meta(max_length=2000)]
Words = Annotated[str, Meta(max_length=100, description="Words to look for.")]
Moment = Annotated[
    datetime, Meta(tz=True, description="A moment with its zone, such as 2026-12-01T06:00:00Z.")
]
Minor = Annotated[
    int,
    Meta(
        ge=-(10**15),
        le=10**15,
        description="Money in minor units of its currency, such as cents or whole forints.",
    ),
]
Currency = Annotated[
    str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.", extra_json_schema={"enum": list(CURRENCIES)})
]
Limit = Annotated[int, Meta(ge=1, le=200, description="The most items in one answer.")]
Cursor = Annotated[str, Meta(max_length=200, description="Where to go on: `next` of the page before.")]


class Given(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body or a query: a field that nobody would read is a fault."""


class Paged(Given, frozen=True, kw_only=True):
    """The query of a list."""

    limit: Limit = 50
    cursor: Cursor = ""


class Page(Struct, Generic[Item], frozen=True):
    """A part of a list; ``next`` is the cursor of the part after it, null at the end."""

    items: list[Item]
    next: str | None = None


def page(
    found: Sequence[Item], limit: int, show: Callable[[Item], Shown], cursor: Callable[[Item], object]
) -> Page[Shown]:
    """Make a page of a list that was asked for one item more than ``limit``."""
    kept = found[:limit]
    more = str(cursor(kept[-1])) if len(found) > limit else None
    return Page([show(item) for item in kept], more)


def after(query: Paged) -> int:
    """Return a cursor that is a number, 0 at the begin; Invalid for what is none."""
    number = before(query)
    return 0 if number is None else number


def before(query: Paged) -> int | None:
    """Return a cursor that is a number, None at the begin; Invalid for what is none."""
    text = query.cursor
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise Invalid("This is no cursor of this list.", path="cursor")
    return int(text)


def offset(query: Paged) -> int:
    """Return a cursor that is a place in a list, for lists that are short."""
    return min(after(query), 10**6)


def page_from(found: Sequence[Item], query: Paged, show: Callable[[Item], Shown]) -> Page[Shown]:
    """Make a page of a list that was read from its begin."""
    start = offset(query)
    kept = found[start : start + query.limit]
    end = start + len(kept)
    return Page([show(item) for item in kept], str(end) if end < len(found) else None)


def given(body: Struct) -> dict[str, Any]:
    """Return the fields that a change names; the others keep their values."""
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in fields.items() if value is not UNSET}


def shown(source: object, wanted: type[Item]) -> Item:
    """Show a value of a service as a type of the API whose fields have the same names."""
    return msgspec.convert(source, wanted, from_attributes=True)


__all__ = [
    "UNSET",
    "Cursor",
    "Given",
    "Id",
    "Limit",
    "Minor",
    "Moment",
    "Page",
    "Paged",
    "Text",
    "UnsetType",
    "Words",
    "after",
    "before",
    "given",
    "offset",
    "page",
    "page_from",
    "shown",
]
