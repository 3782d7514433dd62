"""The kinds of readers the desk understands: one line each, named by ``decoder`` in the configuration."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from onprem_csms.domain.cards.numbers import NUMBER_FORMATS
from onprem_csms.domain.readers import ReaderConfig
from onprem_csms.rfid.decoders import Em4100Decoder, LineDecoder, StxDecoder, Twn4Decoder
from onprem_csms.rfid.reader import Decoder

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,35}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of reader: what it is in words, how to make its decoder, what asks it for a card if need be."""

    description: str
    make: Callable[[ReaderConfig], Decoder]
    ask: bytes = b""


DECODERS: dict[str, Kind] = {
    "line": Kind("a line of text per card, hex or decimal", lambda config: LineDecoder(config.number_format)),
    "em4100": Kind("RDM6300 and other 125 kHz readers for EM4100 cards", lambda _: Em4100Decoder()),
    "stx": Kind("binary packets between STX and ETX", lambda _: StxDecoder()),
    "twn4": Kind("Elatec TWN4 with the Simple Protocol", lambda _: Twn4Decoder(), ask=Twn4Decoder.ASK),
}


def faults(configs: Sequence[ReaderConfig]) -> list[tuple[str, str]]:
    """List everything that is wrong with the ``[[readers]]`` tables, as (path, sentence)."""
    found: list[tuple[str, str]] = []
    for number, config in enumerate(configs, 1):
        earlier = configs[: number - 1]
        found += [(f"readers.{number}.{key}", sentence) for key, sentence in _faults_of(config)]
        if config.id in {other.id for other in earlier}:
            found.append((f"readers.{number}.id", "Another reader has this id."))
        if config.port in {other.port for other in earlier}:
            found.append((f"readers.{number}.port", "Another reader has this port."))
    return found


def _faults_of(config: ReaderConfig) -> list[tuple[str, str]]:
    checks = (
        ("id", _ID.fullmatch(config.id), "Use up to 36 small letters, digits, - and _."),
        ("port", config.port.startswith("/"), "Give the full path of the device, such as /dev/ttyUSB0."),
        ("decoder", config.decoder in DECODERS, _one_of(DECODERS)),
        ("baud", 300 <= config.baud <= 1_000_000, "Use a speed from 300 to 1000000 bits per second."),
        ("number_format", config.number_format in NUMBER_FORMATS, _one_of(NUMBER_FORMATS)),
    )
    return [(key, sentence) for key, good, sentence in checks if not good]


def _one_of(names: Iterable[str]) -> str:
    return f"Use one of: {', '.join(names)}."
