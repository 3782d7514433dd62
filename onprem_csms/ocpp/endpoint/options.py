"""The settings of the charger endpoint, with their defaults; the site's settings say the rest."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Limits and patience; bytes, levels, counts and seconds."""

    max_message_bytes: int = 256 * 1024
    max_depth: int = 32
    call_timeout_s: float = 30.0
    queue_length: int = 50
    handshakes_at_once: int = 200
    handshakes_waiting: int = 10_000
    ping_interval_s: float = 0.0
    """Pings by the server; 0: only before a silent connection is given up."""
    second_connection_wait_s: float = 3.0
    settle_s: float = 10.0
    """How long a charger is left alone after it came, before what is wanted of it is asked again."""
    set_readings: bool = False
    """Whether chargers are told after each boot which readings to send."""
    shortest_idle_s: float = 120.0
    close_wait_s: float = 2.0
