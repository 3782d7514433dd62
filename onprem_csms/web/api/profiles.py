"""``/charging-profiles``: profiles that the site keeps, and those in force at chargers."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.records import ProfileInForce, StoredProfile
from onprem_csms.services.chargers import asking, profiles
from onprem_csms.web.api.fields import Given, Page, Paged, after, page
from onprem_csms.web.api.route import Call, Created, place

Description = Annotated[str, Meta(max_length=200)]
Document = Annotated[
    dict[str, Any],
    Meta(
        description="The profile in the words of the charger's protocol; its id is put in when it goes out."
    ),
]


class Profile(Struct, frozen=True, kw_only=True):
    """A profile that the site keeps; ``id`` goes out as its chargingProfileId."""

    id: int
    description: str
    profile: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class NewProfile(Given, frozen=True, kw_only=True):
    """A profile to keep."""

    profile: Document
    description: Description = ""


class ProfileChange(Given, frozen=True, kw_only=True):
    """What changes of a profile; what is in force stays as it is."""

    profile: Document | UnsetType = UNSET
    description: Description | UnsetType = UNSET


class Application(Given, frozen=True, kw_only=True):
    """Where a profile is to hold; EVSE and connector 0 is the whole charger. A charger of OCPP 1.6 has no EVSE."""

    charger: Annotated[str, Meta(min_length=1, max_length=128)]
    evse: Annotated[int, Meta(ge=0, le=1000)] = 0
    connector: Annotated[int, Meta(ge=0, le=1000)] = 0


class InForce(Struct, frozen=True, kw_only=True):
    """A profile that a charger accepted; EVSE and connector 0 is the whole charger."""

    charger: str
    evse: int
    connector: int
    id: int
    purpose: str
    stack_level: int
    profile: dict[str, Any]
    set_at: datetime | None


class AllInForce(Struct, frozen=True, kw_only=True):
    """The profiles that a charger follows."""

    items: list[InForce]


async def find(call: Call[None, Paged]) -> Page[Profile]:
    """List profiles."""
    query = call.query
    found = await call.read(profiles.find, after(query), query.limit + 1)
    return page(found, query.limit, show, lambda stored: stored.id)


async def get(call: Call[None, None]) -> Profile:
    """Show one profile."""
    return show(await call.read(profiles.get, call.number()))


async def create(call: Call[NewProfile, None]) -> Created[Profile]:
    """Keep a profile."""
    made = await call.write(profiles.create, call.body.description, call.body.profile)
    return Created(show(made), place("charging-profiles", made.id))


async def change(call: Call[ProfileChange, None]) -> Profile:
    """Change a profile; what is in force stays as it is."""
    body = call.body
    changed = profiles.Change(
        description=None if body.description is UNSET else body.description,
        profile=None if body.profile is UNSET else body.profile,
    )
    return show(await call.write(profiles.change, call.number(), changed))


async def remove(call: Call[None, None]) -> None:
    """Forget a profile; what is in force stays as it is."""
    await call.write(profiles.delete, call.number())


async def apply(call: Call[Application, None]) -> InForce:
    """Ask a charger to follow a profile; 409 when it refuses."""
    body = call.body
    where = Place(body.evse, body.connector)
    followed = await asking.follow_profile(call.ctx, call.number(), body.charger, where, origin=call.actor)
    return _show_in_force(followed)


async def in_force(call: Call[None, None]) -> AllInForce:
    """List the profiles that a charger follows."""
    found = await call.read(profiles.in_force_at, call.places["id"])
    return AllInForce(items=[_show_in_force(one) for one in found])


def show(stored: StoredProfile) -> Profile:
    """Show a profile as JSON."""
    return Profile(
        id=stored.id,
        description=stored.description,
        profile=dict(stored.profile),
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def _show_in_force(one: ProfileInForce) -> InForce:
    return InForce(
        charger=one.charger_id,
        evse=one.place.evse,
        connector=one.place.connector,
        id=one.profile_id,
        purpose=one.purpose,
        stack_level=one.stack_level,
        profile=dict(one.profile),
        set_at=one.set_at,
    )
