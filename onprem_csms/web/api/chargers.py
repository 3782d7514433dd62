"""``/chargers`` and ``/unknown-chargers``: the chargers of the site and the refused connection attempts."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from onprem_csms.domain.chargers import chargers as domain
from onprem_csms.domain.chargers.places import Place, by_label
from onprem_csms.domain.chargers.records import RefusedAttempt
from onprem_csms.errors import Invalid
from onprem_csms.services.chargers import admission, configuration, inventory, records
from onprem_csms.services.chargers.records import MessageFilter
from onprem_csms.web.api.fields import Given, Id, Moment, Page, Paged, Words, before, given, page, shown
from onprem_csms.web.api.route import Call, Created, place

Registration = Annotated[
    Literal["accepted", "pending", "rejected"], Meta(description="What the charger is told when it boots.")
]
SecurityProfile = Annotated[
    int, Meta(ge=0, le=3, description="0: no password, 1: password, 2: TLS, 3: certificate.")
]
Password = Annotated[str, Meta(min_length=8, max_length=72, description="Never shown again.")]
Power = Annotated[int, Meta(ge=1, le=10**9, description="W")]
Pinned = Annotated[
    str, Meta(max_length=20, description="The one version it may speak, such as ocpp1.6; empty: the newest.")
]
Name = Annotated[str, Meta(max_length=200)]
_REASONS: dict[str, str] = {str(reason): text for reason, text in admission.REASONS.items()}
Transform = Annotated[
    str,
    Meta(
        max_length=20,
        description="How it writes card numbers: none, reverse, strip_zeros, strip_bcc, decimal, first:4.",
    ),
]


class Connector(Struct, frozen=True, kw_only=True):
    """A connector; number 0 is the charger as a whole. ``slug`` is what its QR code holds.

    ``evse`` is 0 where the charger has none (OCPP 1.6).
    """

    evse: int
    number: int
    name: str
    status: str
    error_code: str
    info: str
    status_at: datetime | None
    slug: str | None
    tariff_id: int | None


class Charger(Struct, frozen=True, kw_only=True):
    """A charger; ``quirks`` counts how often it deviated from its protocol, by kind."""

    id: str
    name: str
    registration: Registration
    security_profile: int
    has_password: bool
    online: bool
    connectors: list[Connector]
    quirks: dict[str, int]
    allow_missing_subprotocol: bool
    token_transform: str
    tariff_id: int | None
    max_power_w: int | None
    pinned_protocol: str
    protocol: str
    vendor: str
    model: str
    serial: str
    firmware: str
    boot_info: dict[str, Any]
    booted_at: datetime | None
    connected_at: datetime | None
    disconnected_at: datetime | None
    created_at: datetime


class NewCharger(Given, frozen=True, kw_only=True):
    """A charger to add; without a profile it is 1 where a password is given, else 0: it comes without one.

    Without a password one of profile 1 or 2 can't connect yet.
    """

    id: Annotated[str, Meta(min_length=1, max_length=128, description="The identity: what follows /ocpp/.")]
    name: Name = ""
    registration: Registration = "accepted"
    security_profile: SecurityProfile | UnsetType = UNSET
    password: Password | None = None
    allow_missing_subprotocol: bool = False
    token_transform: Transform = "none"  # noqa: S105 - a rule, no secret
    tariff_id: Id | None = None
    max_power_w: Power | None = None
    pinned_protocol: Pinned = ""


class ChargerChange(Given, frozen=True, kw_only=True):
    """What changes of a charger; ``password`` null takes it away."""

    name: Name | UnsetType = UNSET
    registration: Registration | UnsetType = UNSET
    security_profile: SecurityProfile | UnsetType = UNSET
    password: Password | UnsetType | None = UNSET
    allow_missing_subprotocol: bool | UnsetType = UNSET
    token_transform: Transform | UnsetType = UNSET
    tariff_id: Id | UnsetType | None = UNSET
    max_power_w: Power | UnsetType | None = UNSET
    pinned_protocol: Pinned | UnsetType = UNSET


class ConnectorChange(Given, frozen=True, kw_only=True):
    """What changes of a connector; without a tariff of its own the charger's holds."""

    name: Name | UnsetType = UNSET
    tariff_id: Id | UnsetType | None = UNSET


class ConnectorQuery(Given, frozen=True, kw_only=True):
    """Which EVSE the connector belongs to, unless the address names it."""

    evse: Annotated[int, Meta(ge=0, le=1000)] = 0


class ChargersQuery(Paged, frozen=True, kw_only=True):
    """Which chargers: ``text`` is a part of identity or name."""

    text: Words = ""


class MessagesQuery(Paged, frozen=True, kw_only=True):
    """Which messages: of one direction, that hold a text in any case, no older than ``since``."""

    direction: Literal["in", "out"] | None = None
    text: Words = ""
    since: Moment | None = None


class Message(Struct, frozen=True, kw_only=True):
    """A message as it was on the wire; ``in`` came from the charger."""

    id: int
    at: datetime
    direction: Literal["in", "out"]
    text: str


class Setting(Struct, frozen=True, kw_only=True):
    """One variable of a charger: as it reported it, and what the site wants of it, if anything.

    ``key`` names it whole: OCPP 1.6's own key, of a newer version
    ``Component[instance](evse,connector).Name[instance]``; ``attribute`` is actual, target, least or most.
    """

    key: str
    component: str
    instance: str
    evse: int
    connector: int
    name: str
    name_instance: str
    attribute: str
    data_type: str
    unit: str
    values: str
    value: str | None
    readonly: bool
    reported_at: datetime | None
    wanted: str | None
    wanted_status: str
    wanted_at: datetime | None


class Settings(Struct, frozen=True, kw_only=True):
    """All settings of a charger by key."""

    items: list[Setting]


class NewPassword(Struct, frozen=True, kw_only=True):
    """A password to type into a charger; it is told this once."""

    charger: str
    password: str | None


class UnknownCharger(Struct, frozen=True, kw_only=True):
    """A refused connection attempt; ``sentence`` says what ``reason`` means.

    ``keys_differ``: callers with different passwords came under this name; it needs a new one.
    """

    identity: str
    remote: str
    path: str
    subprotocols: str
    with_credentials: bool
    reason: str
    sentence: str
    known: bool
    first_at: datetime
    last_at: datetime
    times: int
    keys_differ: bool


class UnknownChargers(Struct, frozen=True, kw_only=True):
    """Refused connection attempts, newest first; ``known`` where the charger is one of the site's."""

    items: list[UnknownCharger]


class Acceptance(Given, frozen=True, kw_only=True):
    """How a charger is accepted: with a new password, with the one it sent last, or with none."""

    name: Name = ""
    use: Literal["generate", "offered", "none"] = "generate"


async def find(call: Call[None, ChargersQuery]) -> Page[Charger]:
    """List chargers."""
    query = call.query
    found = await call.read(records.find_records, query.text, query.cursor, query.limit + 1)
    return page(found, query.limit, lambda one: _show(call, one), lambda one: one.charger.id)


async def get(call: Call[None, None]) -> Charger:
    """Show one charger."""
    return await _one(call)


async def create(call: Call[NewCharger, None]) -> Created[Charger]:
    """Add a charger."""
    _check_pinned(call, call.body.pinned_protocol)
    profile = {"security_profile": 0 if call.body.password is None else 1}
    new = await call.write(inventory.create, domain.NewCharger(**{**profile, **given(call.body)}))
    return Created(_show(call, records.Record(new, ())), place("chargers", new.id))


async def change(call: Call[ChargerChange, None]) -> Charger:
    """Change some fields of a charger."""
    _check_pinned(call, call.body.pinned_protocol or "")
    await call.write(inventory.update, call.places["id"], domain.ChargerChange(**given(call.body)))
    return await _one(call)


def _check_pinned(call: Call[Any, Any], protocol: str) -> None:
    spoken = call.ctx.stations.protocols()
    if protocol and protocol not in spoken:
        raise Invalid("This must be one of {names}.", path="pinned_protocol", names=", ".join(spoken))


async def remove(call: Call[None, None]) -> None:
    """Archive a charger; its sessions stay."""
    await call.write(inventory.archive, call.places["id"])


async def change_connector(call: Call[ConnectorChange, ConnectorQuery]) -> Charger:
    """Change the name or the tariff of a connector; one of an EVSE is named ``1.2``."""
    where = by_label(call.places["number"])
    where = where if where.evse else Place(call.query.evse, where.connector)
    wanted = domain.ConnectorChange(**given(call.body))
    await call.write(inventory.update_connector, call.places["id"], where, wanted)
    return await _one(call)


async def reset_password(call: Call[None, None]) -> NewPassword:
    """Give a charger a new random password; the old one is dead."""
    password = await call.write(inventory.reset_password, call.places["id"])
    return NewPassword(charger=call.places["id"], password=password)


async def messages(call: Call[None, MessagesQuery]) -> Page[Message]:
    """List a charger's raw messages, newest first."""
    query = call.query
    wanted = MessageFilter(query.direction or "", query.text, before(query), query.since, query.limit + 1)
    ask = call.search if wanted.searches else call.read
    found = await ask(records.search_messages, call.places["id"], wanted)
    return page(found, query.limit, lambda one: shown(one, Message), lambda one: one.id)


async def settings(call: Call[None, None]) -> Settings:
    """List a charger's settings, as it reported them last."""
    found = await call.read(configuration.of_charger, call.places["id"])
    return Settings(items=[shown(setting, Setting) for setting in found])


async def unknown(call: Call[None, None]) -> UnknownChargers:
    """List the refused connection attempts."""
    return UnknownChargers(
        items=[_show_attempt(attempt) for attempt in await call.read(inventory.refused_attempts)]
    )


async def accept(call: Call[Acceptance, None]) -> Created[NewPassword]:
    """Accept a charger that waits; the password is told this once."""
    identity = call.places["identity"]
    password = await call.write(inventory.accept_attempt, identity, call.body.name, use=call.body.use)
    answer = NewPassword(charger=identity, password=password)
    return Created(answer, place("chargers", identity))


async def dismiss(call: Call[None, None]) -> None:
    """Forget a charger that waits; it is listed again when it comes again."""
    await call.write(inventory.dismiss_attempt, call.places["identity"])


async def _one(call: Call[Any, Any]) -> Charger:
    return _show(call, await call.read(records.record, call.places["id"]))


def _show(call: Call[Any, Any], record: records.Record) -> Charger:
    charger, quirks = record.charger, {quirk.kind: quirk.times for quirk in record.quirks}
    values = {name: getattr(charger, name) for name in Charger.__struct_fields__ if hasattr(charger, name)}
    values["connectors"] = [shown(connector, Connector) for connector in charger.connectors]
    return Charger(**values, quirks=quirks, online=call.ctx.stations.online(charger.id))


def _show_attempt(attempt: RefusedAttempt) -> UnknownCharger:
    values = {name: getattr(attempt, name) for name in UnknownCharger.__struct_fields__ if name != "sentence"}
    return UnknownCharger(**values, sentence=_REASONS.get(attempt.reason, ""))
