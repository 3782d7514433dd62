"""The configuration: TOML to frozen dataclasses, every fault in one run as a path and a sentence.

The defaults stand here, once; ``config.example.toml`` is written from them and tested against them.
Whole sections may be missing, so that the product runs without any file.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from onprem_csms.domain import listeners
from onprem_csms.domain.access.networks import networks
from onprem_csms.domain.charging.escalation import Means
from onprem_csms.domain.listeners import ListenerConfig
from onprem_csms.domain.money.currencies import CURRENCIES, DEFAULT_CURRENCY
from onprem_csms.domain.money.holds import HoldPolicy
from onprem_csms.domain.money.vat import VatDue
from onprem_csms.domain.readers import ReaderConfig
from onprem_csms.domain.settings import PrepaidSettings, SessionSettings, SiteSettings
from onprem_csms.errors import Invalid

Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[int, Meta(ge=1, le=86_400)]
Amount = Annotated[int, Meta(ge=0, le=100_000_000)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
CheckReaders = Callable[[Sequence[ReaderConfig]], Iterable[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Server:
    """Where the product listens and how its users reach it."""

    host: str = "0.0.0.0"  # noqa: S104 - chargers and browsers of the LAN must reach it
    port: Port = 8080
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """The site's name, money and local time."""

    name: Name = "Charging site"
    currency: str = DEFAULT_CURRENCY
    timezone: str = "Europe/Budapest"
    vat_percent: str = "27"
    vat_due: VatDue = "at_charging"
    language: Literal["en", "hu"] = "en"


@dataclass(frozen=True, slots=True)
class Ocpp:
    """What the central system tells chargers and takes from them."""

    unknown_chargers: Literal["ask", "accept", "refuse"] = "ask"
    heartbeat_interval: Seconds = 300
    call_timeout: Seconds = 30
    max_message_bytes: Annotated[int, Meta(ge=4_096, le=16_777_216)] = 262_144
    max_handshakes: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    message_days: Annotated[int, Meta(ge=1, le=3_650)] = 30
    message_megabytes: Annotated[int, Meta(ge=16, le=1_000_000)] = 2_048
    history_days: Annotated[int, Meta(ge=7, le=36_500)] = 400
    origins: tuple[str, ...] = ()
    set_readings: bool = True


@dataclass(frozen=True, slots=True)
class Prepaid:
    """Prepaid cards: what must be on them, and how long before the end a session is stopped."""

    minimum_balance: Amount = 0
    stop_latency: Seconds = 10
    sample_interval: Seconds = 60
    start_timeout: Seconds = 90
    block_below_zero: bool = True
    hold: HoldPolicy = "all"
    hold_step: Amount = 1_000
    escalate: Means = "limit"


@dataclass(frozen=True, slots=True)
class Sessions:
    """When a session is believed to be over, late or wrong."""

    reboot_grace: Seconds = 300
    free_grace: Seconds = 300
    one_fee_within: Annotated[int, Meta(ge=0, le=86_400)] = 300
    start_doubt: Annotated[int, Meta(ge=3_600, le=31_536_000)] = 86_400
    late_after: Seconds = 900
    clock_skew: Seconds = 300
    default_max_power: Annotated[int, Meta(ge=1_000, le=10_000_000)] = 400_000
    energy_allowance: Annotated[int, Meta(ge=0, le=10_000_000)] = 100_000
    wait_above_energy: Annotated[int, Meta(ge=0, le=100_000_000)] = 250_000
    wait_above_duration: Annotated[int, Meta(ge=0, le=31_536_000)] = 604_800
    wait_above_sum: Amount = 100_000
    stop_blocked_cards: bool = True


@dataclass(frozen=True, slots=True)
class Log:
    """What is written to the standard error stream."""

    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration."""

    server: Server = field(default_factory=Server)
    site: Site = field(default_factory=Site)
    ocpp: Ocpp = field(default_factory=Ocpp)
    prepaid: Prepaid = field(default_factory=Prepaid)
    sessions: Sessions = field(default_factory=Sessions)
    log: Log = field(default_factory=Log)
    readers: tuple[ReaderConfig, ...] = ()
    listeners: tuple[ListenerConfig, ...] = ()

    def settings(self) -> SiteSettings:
        """Return what the services need of it."""
        return SiteSettings(
            name=self.site.name,
            currency=self.site.currency,
            timezone=self.site.timezone,
            vat_percent=self.site.vat_percent,
            vat_due=self.site.vat_due,
            language=self.site.language,
            public_url=self.server.public_url.rstrip("/"),
            hosts=self.server.hosts,
            proxies=self.server.proxies,
            charger_origins=self.ocpp.origins,
            heartbeat_interval_s=self.ocpp.heartbeat_interval,
            unknown_chargers=self.ocpp.unknown_chargers,
            message_days=self.ocpp.message_days,
            message_megabytes=self.ocpp.message_megabytes,
            history_days=self.ocpp.history_days,
            prepaid=PrepaidSettings(
                minimum_balance=self.prepaid.minimum_balance,
                stop_latency_s=self.prepaid.stop_latency,
                sample_interval_s=self.prepaid.sample_interval,
                start_timeout_s=self.prepaid.start_timeout,
                block_below_zero=self.prepaid.block_below_zero,
                hold_policy=self.prepaid.hold,
                hold_step=self.prepaid.hold_step,
                escalate=self.prepaid.escalate,
            ),
            sessions=SessionSettings(
                reboot_grace_s=self.sessions.reboot_grace,
                free_grace_s=self.sessions.free_grace,
                one_fee_within_s=self.sessions.one_fee_within,
                start_doubt_s=self.sessions.start_doubt,
                default_max_power_w=self.sessions.default_max_power,
                energy_allowance_wh=self.sessions.energy_allowance,
                wait_above_wh=self.sessions.wait_above_energy,
                wait_above_s=self.sessions.wait_above_duration,
                wait_above=self.sessions.wait_above_sum,
                late_after_s=self.sessions.late_after,
                clock_skew_s=self.sessions.clock_skew,
                stop_blocked_cards=self.sessions.stop_blocked_cards,
            ),
        )


SECTIONS: dict[str, type] = {
    "server": Server,
    "site": Site,
    "ocpp": Ocpp,
    "prepaid": Prepaid,
    "sessions": Sessions,
    "log": Log,
}
TABLES: dict[str, type] = {"listeners": ListenerConfig, "readers": ReaderConfig}
"""What may be there many times, each with its own values."""
HELP: dict[str, str] = {
    "server": "Where the product listens and how its users reach it.",
    "server.host": "The address to listen on; 0.0.0.0 is every network of the machine.",
    "server.port": "One port serves chargers, site, drivers and API.",
    "server.public_url": "The address in QR codes and on slips, http://csms.lan:8080 say; empty: as the browser says.",
    "server.hosts": "More names by which browsers ask for the site; the machine's own and public_url's are known.",
    "server.proxies": "Addresses or networks of reverse proxies whose X-Forwarded headers are believed.",
    "site": "The site's name, money and local time.",
    "site.name": "Stands on pages, sheets and slips.",
    "site.currency": f"{' or '.join(CURRENCIES)}: the currency of new wallets and tariffs.",
    "site.timezone": "Tariffs by time of day and the figures of a day follow it.",
    "site.vat_percent": "Value added tax of new tariffs, in percent.",
    "site.vat_due": "at_charging or at_topup: when the tax of prepaid money falls due, see docs/money.md.",
    "site.language": "en or hu: the language of a visitor whose browser asks for neither.",
    "ocpp": "What the central system tells chargers and takes from them.",
    "ocpp.unknown_chargers": "ask: they wait for the admin; accept: they come in without a password; refuse.",
    "ocpp.heartbeat_interval": "Seconds between heartbeats; a connection is idle after three of them.",
    "ocpp.call_timeout": "Seconds that a charger has to answer a command.",
    "ocpp.max_message_bytes": "The longest message that is read; one that carries money may have 16 MiB.",
    "ocpp.max_handshakes": "Connections that may be in the middle of their sign-in at once.",
    "ocpp.message_days": "Days that raw messages are kept.",
    "ocpp.message_megabytes": "Megabytes that raw messages may take, compressed; the oldest go first.",
    "ocpp.history_days": "Days that connections, statuses, commands, notices and settled reviews are kept.",
    "ocpp.origins": "Origin headers that chargers' libraries send, besides file:// and the well-known ones.",
    "ocpp.set_readings": "Tell chargers after each boot which readings to send, every prepaid.sample_interval seconds.",
    "prepaid": "Prepaid cards. Amounts are in the smallest unit of the currency.",
    "prepaid.minimum_balance": "A session begins only with more than this available.",
    "prepaid.stop_latency": "Seconds that a charger takes to stop, until its first stop has shown it.",
    "prepaid.sample_interval": "Seconds between readings: what chargers are told, and assumed until the second one.",
    "prepaid.start_timeout": "Seconds from a payment on the phone until the money is back if nothing began.",
    "prepaid.block_below_zero": "Block a card whose session cost more than its balance until a top-up.",
    "prepaid.hold": "all: a session sets the whole balance aside; as_needed: a part that grows, so that others begin.",
    "prepaid.hold_step": "How much more is set aside at a time with as_needed.",
    "prepaid.escalate": "stop, limit, unavailable, unlock or reset: the most that is tried where no stop is obeyed.",
    "sessions": "When a session is believed to be over, late or wrong.",
    "sessions.reboot_grace": "Seconds after a charger's restart until its silent session is closed.",
    "sessions.free_grace": "Seconds after a connector became free until its silent session is closed.",
    "sessions.one_fee_within": "Seconds from a start within which the same card pays no second start fee there.",
    "sessions.start_doubt": "Seconds that a start may lie before its charger was last here without it.",
    "sessions.late_after": "Seconds after which a report counts as late and is put onto the review list.",
    "sessions.clock_skew": "Seconds that a charger's clock may be ahead before its times are not believed.",
    "sessions.default_max_power": "Watts that a connector can deliver where its charger does not say.",
    "sessions.energy_allowance": "Wh that a session may exceed power times time by, where no power is set.",
    "sessions.wait_above_energy": "Wh of a session above which its bill waits for a person; 0: never.",
    "sessions.wait_above_duration": "Seconds of a session above which its bill waits for a person; 0: never.",
    "sessions.wait_above_sum": "A bill above it, in the smallest unit of its currency, waits for a person; 0: never.",
    "sessions.stop_blocked_cards": "Stop a session whose card is blocked, lost or expired meanwhile.",
    "log": "What is written to the standard error stream.",
    "log.level": "debug, info, warning or error.",
    "listeners": "More addresses to listen on, beside [server]. Repeat the table for each.",
    "listeners.port": "Its port.",
    "listeners.host": "The address to listen on; 0.0.0.0 is every network of the machine.",
    "listeners.certificates": "Certificates with their issuers, PEM files; none: without TLS. SIGHUP reads them anew.",
    "listeners.keys": "The key of each certificate, in the same order.",
    "listeners.serves": "Who is served: some of chargers, pages, drivers, api; others are answered 404.",
    "readers": "Card readers on serial lines; each is a station of the desk. Repeat the table for each reader.",
    "readers.id": "A short name without spaces, which stays.",
    "readers.port": "The device; a by-id or by-path name survives replugging.",
    "readers.name": "What the desk reads; empty: the id.",
    "readers.decoder": "line, em4100, stx or twn4: how the reader writes numbers, see docs/readers.md.",
    "readers.baud": "Bits per second of the line.",
    "readers.number_format": "hex, hex-reversed, decimal or decimal-reversed.",
}


def on_port(config: Config, port: int) -> Config:
    """Return the configuration with another port; Invalid when there is no such port."""
    if not 0 <= port <= 65535:
        raise Invalid("A port is a number between 0 and 65535.", path="port")
    return replace(config, server=replace(config.server, port=port))


def load(path: Path | None, check_readers: CheckReaders = lambda _: ()) -> Config:
    """Read a configuration file, or the defaults; Invalid lists every fault, those of the readers too."""
    if path is None:
        return Config()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid(
            "The configuration {file} can't be read: {why}.", file=path, why=error.strerror
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid("The configuration {file} is not TOML: {why}.", file=path, why=error) from error
    return parse(document, check_readers)


def parse(document: Mapping[str, Any], check_readers: CheckReaders = lambda _: ()) -> Config:
    """Turn a TOML document into a configuration; Invalid lists every fault with its path."""
    faults: list[tuple[str, str]] = []
    parts: dict[str, Any] = {}
    for name, value in document.items():
        if name in TABLES:
            parts[name] = _tables(name, value, faults)
        elif name not in SECTIONS:
            faults.append((name, f"There is no such section; there are {', '.join([*SECTIONS, *TABLES])}."))
        elif not isinstance(value, Mapping):
            faults.append((name, "This must be a section, [" + name + "]."))
        else:
            parts[name] = _section(SECTIONS[name], name, value, faults)
    config = Config(**{name: part for name, part in parts.items() if part is not None})
    faults += [*_cross_checks(config), *check_readers(config.readers)]
    if faults:
        raise Invalid("The configuration has faults:", faults=faults)
    return config


def _section(kind: type, path: str, values: Mapping[str, Any], faults: list[tuple[str, str]]) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    taken: dict[str, Any] = {}
    for name, value in values.items():
        if name not in hints:
            faults.append((f"{path}.{name}", f"There is no such setting; there are {', '.join(hints)}."))
            continue
        try:
            taken[name] = msgspec.convert(value, hints[name], strict=True)
        except msgspec.ValidationError as error:
            faults.append((f"{path}.{name}", _sentence(str(error))))
    for setting in fields(kind):
        if setting.default is MISSING and setting.default_factory is MISSING and setting.name not in values:
            faults.append((f"{path}.{setting.name}", "This setting is missing."))
            return None
    return None if set(values) - set(taken) else kind(**taken)


def _tables(name: str, value: object, faults: list[tuple[str, str]]) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(isinstance(table, Mapping) for table in value):
        faults.append((name, f"{name.capitalize()} are written as [[{name}]], once for each."))
        return ()
    found = [_section(TABLES[name], f"{name}.{at}", table, faults) for at, table in enumerate(value, 1)]
    return tuple(one for one in found if one is not None)


def _check_readers(readers: Sequence[ReaderConfig]) -> Iterator[tuple[str, str]]:
    names = [reader.id for reader in readers]
    for name in set(names):
        if names.count(name) > 1:
            yield "readers", f"The reader {name} is there twice."


def _sentence(text: str) -> str:
    # msgspec says "Expected `int`, got `str`"; without the marks it reads as a sentence.
    return text.replace("`", "").split(" - at ")[0].rstrip(".") + "."


def _cross_checks(config: Config) -> Iterator[tuple[str, str]]:
    try:
        ZoneInfo(config.site.timezone)
    except (ValueError, KeyError, OSError):
        yield "site.timezone", f"There is no time zone {config.site.timezone}; write it as Europe/Budapest."
    if config.site.currency not in CURRENCIES:
        yield "site.currency", f"This must be one of {', '.join(CURRENCIES)}."
    yield from _check_percent(config.site.vat_percent)
    yield from _check_readers(config.readers)
    yield from listeners.faults(config.listeners, config.server.port)
    try:
        networks(config.server.proxies)
    except ValueError as error:
        yield "server.proxies", f"These must be addresses or networks: {error}."
    url = config.server.public_url
    if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc):
        yield "server.public_url", "This must be an address such as http://csms.lan:8080, or empty."
    if config.prepaid.hold == "as_needed" and config.prepaid.hold_step == 0:
        yield "prepaid.hold_step", "This must be above zero with prepaid.hold as_needed."
    if config.prepaid.stop_latency >= config.prepaid.start_timeout:
        yield "prepaid.start_timeout", "This must be longer than prepaid.stop_latency."


def _check_percent(text: str) -> Iterator[tuple[str, str]]:
    try:
        fine = 0 <= float(text) <= 100 and "e" not in text.lower() and "n" not in text.lower()
    except ValueError:
        fine = False
    if not fine:
        yield "site.vat_percent", "This must be a percentage between 0 and 100, such as 27."


def example() -> str:
    """Write a configuration file that holds every key with its default."""
    lines = ["# Every setting with its default. Leave out what you do not change.", ""]
    for name, kind in SECTIONS.items():
        lines += [f"# {HELP[name]}", f"[{name}]"]
        for setting in fields(kind):
            lines += [f"# {HELP[f'{name}.{setting.name}']}", f"{setting.name} = {_toml(setting.default)}"]
        lines.append("")
    for name, kind in TABLES.items():
        lines += [f"# {HELP[name]}", f"# [[{name}]]"]
        for setting in fields(kind):
            value = EXAMPLES[name].get(setting.name, setting.default)
            lines += [f"# # {HELP[f'{name}.{setting.name}']}", f"# {setting.name} = {_toml(value)}"]
        lines.append("")
    del lines[-1]
    return "\n".join(lines) + "\n"


EXAMPLES: dict[str, dict[str, object]] = {
    "listeners": {
        "port": 8443,
        "certificates": ("/etc/onprem-csms/rsa.pem", "/etc/onprem-csms/ec.pem"),
        "keys": ("/etc/onprem-csms/rsa.key", "/etc/onprem-csms/ec.key"),
        "serves": ("chargers",),
    },
    "readers": {"id": "desk", "name": "Front desk", "port": "/dev/serial/by-id/usb-reader"},
}


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value) if isinstance(value, int) else f'"{value}"'
