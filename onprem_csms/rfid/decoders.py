"""The decoders: one small class for each way in which readers write a card number onto the line."""

from functools import reduce
from operator import xor

from onprem_csms.domain.cards.numbers import NumberFormat, canonical_uid, from_reader
from onprem_csms.errors import N_, Invalid
from onprem_csms.rfid.reader import ReaderFault, Sight, Tap

MAX_LINE = 64

_NOT_A_NUMBER = ReaderFault(
    N_("The reader sent something that is no card number. Check its decoder and its speed.")
)
_DAMAGED = ReaderFault(N_("The number arrived damaged. Hold the card still and try again."))

_STX, _ETX = 0x02, 0x03
_HEX_DIGITS = frozenset(b"0123456789ABCDEFabcdef")


class LineDecoder:
    """A line of text per card: the number as hex or decimal, ended by CR, LF or both."""

    def __init__(self, number_format: NumberFormat = "hex") -> None:
        self._format = number_format
        self._lines = _Lines()

    def feed(self, data: bytes) -> list[Sight]:
        """Return a sight for each line that ended."""
        return [self._read(line) for line in self._lines.split(data)]

    def _read(self, line: str | None) -> Sight:
        if line is None or not line.isascii() or not line.isprintable():
            return _NOT_A_NUMBER
        return _sight(line, self._format)


class Em4100Decoder:
    """RDM6300 and its like (125 kHz): STX, 10 hex digits, 2 digits of XOR over the five bytes, ETX."""

    _LENGTH = 13

    def __init__(self) -> None:
        self._packet: bytearray | None = None

    def feed(self, data: bytes) -> list[Sight]:
        """Return a sight for each packet; what stands between packets is passed over."""
        return [sight for byte in data if (sight := self._take(byte)) is not None]

    def _take(self, byte: int) -> Sight | None:
        if byte == _STX:
            self._packet = bytearray()
            return None
        if self._packet is None:
            return None
        self._packet.append(byte)
        if len(self._packet) < self._LENGTH:
            return None
        packet, self._packet = bytes(self._packet), None
        return self._read(packet)

    def _read(self, packet: bytes) -> Sight:
        digits = packet[:12]
        if packet[12] != _ETX or not _HEX_DIGITS.issuperset(digits):
            return _DAMAGED
        if reduce(xor, bytes.fromhex(digits.decode("ascii"))) != 0:
            return _DAMAGED
        # Not desk_uid: there are no random or cascaded numbers at 125 kHz, every first byte is good.
        return Tap(canonical_uid(digits[:10].decode("ascii")))


class StxDecoder:
    """Binary packets: STX, length of the whole, kind, number, XOR from the length to the number, ETX."""

    # Five bytes around a number of 4 to 10.
    _SIZES = range(9, 16)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Sight]:
        """Return a sight for each packet; what can't be a packet is passed over."""
        sights: list[Sight] = []
        for byte in data:
            self._held.append(byte)
            sights += self._complete()
        return sights

    def _complete(self) -> list[Sight]:
        sights: list[Sight] = []
        while self._held and (size := self._size()) <= len(self._held):
            if size:
                sights.append(self._read(bytes(self._held[:size])))
            # A damaged packet may be the middle of two: what follows its first byte is looked at again.
            del self._held[: size if size and sights[-1] is not _DAMAGED else 1]
        return sights

    def _size(self) -> int:
        """Return the size of the packet that begins here, or may once it is complete; 0 for none."""
        held = self._held
        if held[0] != _STX:
            return 0
        if len(held) < 2:
            return 2
        size = held[1]
        if size not in self._SIZES or (len(held) >= size and held[size - 1] != _ETX):
            return 0
        return size

    def _read(self, packet: bytes) -> Sight:
        return _DAMAGED if reduce(xor, packet[1:-1]) else _sight(packet[3:-2].hex(), "hex")


class Twn4Decoder:
    """Elatec TWN4, Simple Protocol as text: answers to the search command, one line of hex each.

    Error, found, kind, bits, length, number: ``00 01 80 20 04 8A4CB512``; ``00 00`` is an empty field.
    """

    ASK = b"0500FF\r"

    def __init__(self) -> None:
        self._lines = _Lines()

    def feed(self, data: bytes) -> list[Sight]:
        """Return a sight for each answer that found a card or makes no sense."""
        sights = (self._read(line) for line in self._lines.split(data))
        return [sight for sight in sights if sight is not None]

    def _read(self, line: str | None) -> Sight | None:
        try:
            answer = bytes.fromhex(line or "-")
        except ValueError:
            return _NOT_A_NUMBER
        if answer == b"\x00\x00":
            return None
        if len(answer) < 5 or answer[:2] != b"\x00\x01" or len(answer) != 5 + answer[4]:
            return _NOT_A_NUMBER
        return _sight(answer[5:].hex(), "hex")


class _Lines:
    """Cuts a stream at CR and LF; an over-long line is given once, as None, and the rest of it dropped."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._dropping = False

    def split(self, data: bytes) -> list[str | None]:
        lines: list[str | None] = []
        for byte in data:
            if byte in b"\r\n":
                lines += self._end()
            elif len(self._line) < MAX_LINE:
                self._line.append(byte)
            elif not self._dropping:
                self._dropping = True
                lines.append(None)
        return lines

    def _end(self) -> list[str | None]:
        text = self._line.decode("latin-1").strip()
        complete: list[str | None] = [text] if text and not self._dropping else []
        self._line.clear()
        self._dropping = False
        return complete


def _sight(number: str, number_format: NumberFormat) -> Sight:
    try:
        return Tap(from_reader(number, number_format))
    except Invalid as refused:
        return ReaderFault(refused.message)
