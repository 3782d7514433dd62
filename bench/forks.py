"""Starts the real program again and again, fast: the modules are imported once, each start is a fork.

Reads a line ``COMMAND DATA_DIR PORT [TRACE]`` from the standard input, forks a process that runs that very command,
and prints its process id. The killing is the reader's. With a trace, all that is written is written down there too.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

from bench.disk import Disk, Trace
from onprem_csms import app, cli  # noqa: F401 - imported before the forks


def main() -> None:
    """Serve the commands until their end closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        command, folder, port, *trace = line.split()
        child = os.fork()
        if child == 0:
            run(command, folder, port, trace)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def run(command: str, folder: str, port: str, trace: list[str]) -> None:
    """Be the program, to its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # It ends with the process that forked it (prctl, PR_SET_PDEATHSIG).
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(quiet, 1)
    if trace:
        Disk(Trace(Path(trace[0]))).install()
    where = ["--data-dir", folder]
    os._exit(cli.main([command, *where, "--port", port] if command == "serve" else [command, *where]))


if __name__ == "__main__":
    main()
