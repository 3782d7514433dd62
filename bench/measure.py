"""What a process costs: CPU time and memory, from /proc."""

import os
from collections.abc import Sequence
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """Seconds of CPU, user and system, that a process with all its threads has used."""
    return _ticks(Path(f"/proc/{pid}/stat")) * _TICK_S


def cpu_by_thread(pid: int) -> dict[int, float]:
    """Seconds of CPU of every thread; the first is the main one."""
    threads = sorted(int(folder.name) for folder in Path(f"/proc/{pid}/task").iterdir())
    return {thread: _ticks(Path(f"/proc/{pid}/task/{thread}/stat")) * _TICK_S for thread in threads}


def rss_bytes(pid: int) -> int:
    """Bytes of memory that a process has in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def load_average() -> float:
    """How many processes wanted to run in the last minute."""
    return os.getloadavg()[0]


def percentile(sorted_values: Sequence[float], part: float) -> float:
    """The value below which ``part`` (0 to 1) of the sorted values lie."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * part))]


def _ticks(stat: Path) -> int:
    # The name in brackets may hold blanks; user and system time are the 14th and 15th field.
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
