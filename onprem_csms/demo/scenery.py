"""What the demo's site looks like: its chargers, tariffs, people and cards. Data, no work."""

from dataclasses import dataclass
from typing import Any, Literal

from onprem_csms.demo.charger import Make
from onprem_csms.demo.outlet import Socket

OPERATOR, OPERATOR_PASSWORD = "demo", "cables-and-cards"
DESK, DESK_PASSWORD = "desk", "demo-desk-till"
GUEST_CARD, GUEST_PIN = "04DEC0DE", "7295"
STAFF_CARD, STAFF_PIN = "04C0FFEE", "4321"
GUEST_CHARGER, STRANGER, AWAY = "GUEST-1", "NEW-1", "DEPOT-1"
ODD = "YARD-2"
# The prices below are in it, whatever the site of the visitor would use.
CURRENCY = "HUF"

_AC11, _AC22 = Socket("ac", 11_000), Socket("ac", 22_000)
_DC50, _DC100, _DC150 = Socket("dc", 50_000), Socket("dc", 100_000), Socket("dc", 150_000)


@dataclass(frozen=True, slots=True)
class Place:
    """A charger of the site: its name there, its tariff's, and the simulated device."""

    make: Make
    name: str
    tariff: str


@dataclass(frozen=True, slots=True)
class Holder:
    """A person, and the cards they carry: (number, type, first top-up in minor units)."""

    name: str
    language: Literal["en", "hu"]
    cards: tuple[tuple[str, Literal["prepaid", "personal"], int], ...]
    group: str = ""


def _make(id: str, maker: tuple[str, str], sockets: tuple[Socket, ...]) -> Make:
    return Make(
        id, *maker, sockets, password=f"demo-{id.lower()}-key", odd=id == ODD, quiet=id == GUEST_CHARGER
    )


PLACES = (
    Place(_make("GATE-1", ("Voltavia", "Twin 22"), (_AC22, _AC22)), "Gate, left", "Standard"),
    Place(_make("GATE-2", ("Voltavia", "Twin 22"), (_AC22, _AC22)), "Gate, right", "Standard"),
    Place(_make("YARD-1", ("Kilowin", "Wallbox 11"), (_AC11,)), "Yard, staff", "Day and night"),
    Place(_make(ODD, ("Patkó", "P-11"), (_AC11,)), "Yard, by the wall", "Day and night"),
    Place(_make("FAST-1", ("Dunatron", "DC 50"), (_DC50, _DC50)), "Fast charger, road", "Fast"),
    Place(_make("FAST-2", ("Dunatron", "DC 150"), (_DC150, _DC150)), "Fast charger, exit", "Fast"),
    Place(_make(GUEST_CHARGER, ("Dunatron", "DC 100"), (_DC100,)), "Guests", "Fast"),
    Place(_make(AWAY, ("Kilowin", "Wallbox 11"), (_AC11,)), "Depot", "Standard"),
)
NEWCOMER = _make(STRANGER, ("Voltavia", "Solo 22"), (_AC22,))

TARIFFS: tuple[dict[str, Any], ...] = (
    {
        "name": "Standard",
        "currency": CURRENCY,
        "vat": "27",
        "idle_grace_minutes": 15,
        "timezone": "Europe/Budapest",
        "elements": [
            {
                "components": [
                    {"dimension": "flat", "price": "100"},
                    {"dimension": "energy", "price": "149"},
                    {"dimension": "parking_time", "price": "1200"},
                ]
            }
        ],
    },
    {
        "name": "Fast",
        "currency": CURRENCY,
        "vat": "27",
        "idle_grace_minutes": 10,
        "timezone": "Europe/Budapest",
        "elements": [
            {
                "components": [
                    {"dimension": "energy", "price": "219"},
                    {"dimension": "parking_time", "price": "3000"},
                ]
            }
        ],
    },
    {
        "name": "Day and night",
        "currency": CURRENCY,
        "vat": "27",
        "timezone": "Europe/Budapest",
        "elements": [
            {
                "components": [{"dimension": "energy", "price": "80"}],
                "restrictions": {"start_time": "22:00", "end_time": "06:00"},
            },
            {"components": [{"dimension": "energy", "price": "120"}]},
        ],
    },
)

HOLDERS = (
    Holder("Kovács Anna", "hu", ((GUEST_CARD, "prepaid", 20_000),)),
    Holder("Nagy Péter", "hu", (("04A1B2C3D45E80", "prepaid", 10_000),)),
    Holder("Szabó Eszter", "hu", (("0461F2AA315C80", "prepaid", 15_000),)),
    Holder("Tóth Bálint", "hu", (("04772B19E06380", "prepaid", 5_000),)),
    Holder("Horváth Zsófia", "hu", (("04B3910C5A7D80", "prepaid", 20_000),)),
    Holder("Varga Gergő", "hu", (("045D08E1B24F80", "prepaid", 10_000),)),
    Holder("Kiss Dóra", "hu", (("04E9246B137A80", "prepaid", 2_000),)),
    Holder("Őri Ágnes", "hu", ((STAFF_CARD, "personal", 0),), "Staff"),
    Holder("Németh Gábor", "hu", (("041C7E5530B980", "personal", 0),), "Staff"),
    Holder("Emma Schneider", "en", (("04F0629D48C180", "prepaid", 15_000),)),
    Holder("Luca Bianchi", "en", (("048B35A7D61280", "prepaid", 10_000),)),
    Holder("Marie Dubois", "en", (("0419C4207FE380", "prepaid", 30_000),)),
    Holder("James O’Connor", "en", (("04D2718A0B9480", "personal", 0),), "Couriers"),
    Holder("Sanne de Vries", "en", (("04365FB8C90D80", "personal", 0),), "Couriers"),
    Holder("Fűrész Ödön", "hu", (("0485E3172ACB80", "prepaid", 5_000),)),
)
UNLUCKY_CARD = "04E9246B137A80"
LOST_CARD, EXPIRED_CARD = "0485E3172ACB80", "045D08E1B24F80"
STRANGE_CARDS = ("04FEEDFACE0180", "DEADBEEF")
