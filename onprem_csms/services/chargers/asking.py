"""Asking a charger for something that it may refuse: its answer decides."""

from onprem_csms.domain.chargers.commands import Command, FollowProfile
from onprem_csms.domain.chargers.places import Place
from onprem_csms.domain.chargers.records import ProfileInForce
from onprem_csms.errors import Conflict, NotFound, PeerError
from onprem_csms.services.chargers import inventory, profiles, sending
from onprem_csms.services.core.context import Context
from onprem_csms.services.core.ports import CommandResult


async def insist(ctx: Context, charger_id: str, command: Command, origin: str) -> None:
    """Ask, and return when the charger agreed. Conflict when it refuses or is offline.

    PeerError when it answers with an error or not at all: then it may have done it all the same.
    """
    result = await sending.perform(ctx, charger_id, command, origin=origin)
    if result.status == "answered" and result.accepted is not False:
        return
    if result.status == "answered":
        raise Conflict("The charger refused: {answer}.", answer=words(result))
    if result.status == "error":
        raise PeerError("The charger answered with an error: {answer}.", answer=words(result))
    raise PeerError("The charger did not answer in time.")


async def follow_profile(
    ctx: Context, profile_id: int, charger_id: str, place: Place, *, origin: str
) -> ProfileInForce:
    """Let a place (0, 0: the whole charger) follow a stored profile; NotFound, else errors as ``insist``."""
    stored = await ctx.read(profiles.get, profile_id)
    await ctx.read(inventory.get, charger_id)
    await insist(ctx, charger_id, FollowProfile(place, profile_id, stored.profile), origin)
    for one in await ctx.read(profiles.in_force, charger_id):
        if one.profile_id == profile_id:
            return one
    # Another profile of its place and level came in between.
    raise NotFound("The charger does not follow profile {id} any more.", id=profile_id)


def words(result: CommandResult) -> str:
    """Return the words of a charger's answer."""
    return ", ".join(str(value) for value in (result.response or {}).values() if value)
