"""The product on a disk that fails when told: ``python -m bench.faulty TRACE|- COMMAND …``.

Each line on the standard input sets what fails now: ``reads``, ``writes``, ``full``, or nothing. With a trace, all that
is written is also written down there, for a power cut to be played from (see ``bench.cuts``).
"""

import os
import sys
import threading
from pathlib import Path

from bench.disk import Disk, Trace
from onprem_csms import app, cli  # noqa: F401 - imported before anything fails


def obey(disk: Disk) -> None:
    """Let fail what the standard input says, until it ends."""
    for line in sys.stdin:
        told = line.split()
        disk.faults.reads = "reads" in told
        disk.faults.writes = "writes" in told
        disk.faults.full = "full" in told
        print("told", *told, flush=True)


def main() -> None:
    trace, *command = sys.argv[1:]
    disk = Disk(None if trace == "-" else Trace(Path(trace))).install()
    threading.Thread(target=obey, args=(disk,), daemon=True).start()
    status = cli.main(command)
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
