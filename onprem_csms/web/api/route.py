"""What a route of the API is, and what its view is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import (
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import quote

from onprem_csms.domain.access.rights import Deed, Role, least_role
from onprem_csms.errors import NotFound
from onprem_csms.services.core.context import Context, Tx

P = ParamSpec("P")
R = TypeVar("R")
Body = TypeVar("Body")
Query = TypeVar("Query")
Thing = TypeVar("Thing")

PREFIX = "/api/v1"

Method = Literal["GET", "POST", "PATCH", "DELETE"]
BIGGEST_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class Call(Generic[Body, Query]):
    """One request, read and allowed: ``places`` are the parts of the path, ``ctx.actor`` is who asks."""

    ctx: Context
    places: Mapping[str, str]
    headers: Mapping[str, str]
    body: Body
    query: Query

    @property
    def actor(self) -> str:
        """Who asks, as records name them."""
        return self.ctx.actor.label

    def number(self, place: str = "id") -> int:
        """Return a part of the path that is a number; NotFound when it is none, since nothing is called so."""
        text = self.places[place]
        if text.isascii() and text.isdigit() and int(text[:20]) <= BIGGEST_NUMBER:
            return int(text)
        raise NotFound("There is nothing of the number {number}.", number=text)

    async def read(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service function on a reader."""
        return await self.ctx.read(fn, *args, **kwargs)

    async def search(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service function that looks through many rows for few."""
        return await self.ctx.search(fn, *args, **kwargs)

    async def read_report(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service function that may take long on the reports' reader."""
        return await self.ctx.read_report(fn, *args, **kwargs)

    async def write(self, fn: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a service function as one durable transaction; the owner of the key acts."""
        return await self.ctx.write(fn, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Created(Generic[Thing]):
    """201: a thing was made; ``place`` is its path below the prefix."""

    body: Thing
    place: str


@dataclass(frozen=True, slots=True)
class Accepted(Generic[Thing]):
    """202: something has begun; ``place`` is the path where to look for its end."""

    body: Thing
    place: str


View = Callable[[Call[Any, Any]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table: what deed it is (None: it asks for no key). What goes in and out is in the view's
    signature.
    """

    method: Method
    path: str
    deed: Deed | None
    view: View

    @property
    def role(self) -> Role | Literal["public"]:
        """The least role that may do it; ``public`` asks for no key."""
        return "public" if self.deed is None else least_role(self.deed)


@dataclass(frozen=True, slots=True)
class Signature:
    """The types of a view: of its body and its query (None: it has none), and of its answer by status."""

    body: Any
    query: Any
    answers: Mapping[int, Any]


@cache
def signature(view: View) -> Signature:
    """Read a view's annotations: ``Call[body, query]`` in; ``Created[…]``, ``Accepted[…]``, None or a body out."""
    hints = get_type_hints(view)
    body, query = (None if given is NoneType else given for given in get_args(hints["call"]))
    returned = hints["return"]
    parts = get_args(returned) if get_origin(returned) in (UnionType, Union) else (returned,)
    return Signature(body, query, dict(_answer(part) for part in parts))


def _answer(part: Any) -> tuple[int, Any]:
    if part is NoneType:
        return 204, None
    status = {Created: 201, Accepted: 202}.get(get_origin(part))
    return (200, part) if status is None else (status, get_args(part)[0])


def place(*parts: object) -> str:
    """Write a path below the prefix: ``/chargers/A%2FB/commands/7``."""
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)
