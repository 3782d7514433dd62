"""What the configuration says of a card reader at the desk."""

from dataclasses import dataclass

from onprem_csms.domain.cards.numbers import NumberFormat


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """One ``[[readers]]`` table: a reader on a serial line, which is also one station of the desk.

    ``id`` names the station in addresses and events, ``name`` is what people read (the id, when empty),
    ``port`` is the device's path, ``decoder`` one of the registry's names, ``baud`` the speed of the line in
    bits per second.
    """

    id: str
    port: str
    name: str = ""
    decoder: str = "line"
    baud: int = 9600
    number_format: NumberFormat = "hex"
