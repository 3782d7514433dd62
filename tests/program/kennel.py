"""Starts the real program again and again, fast: the modules are imported once, each start is a fork.

Reads a line ``serve DATA_DIR PORT`` from the standard input, forks a process that runs that very command,
and prints its process id. The killing is the test's.
"""

import os
import signal
import sys

from onprem_csms import app, cli  # noqa: F401 - imported before the forks


def main() -> None:
    """Serve the commands of the test until its end closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        command, folder, port = line.split()
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            quiet = os.open(os.devnull, os.O_RDWR)
            os.dup2(quiet, 0)
            os.dup2(quiet, 1)
            os._exit(cli.main([command, "--data-dir", folder, "--port", port]))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
