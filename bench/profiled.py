"""Runs ``onprem-csms`` with a profiler in each thread; the figures go to a folder when it ends."""

import cProfile
import sys
import threading
import time
from pathlib import Path

from onprem_csms import cli


def main() -> None:
    folder = Path(sys.argv.pop(1))
    profiles: list[tuple[str, cProfile.Profile]] = []

    def begin(name: str) -> None:
        # The CPU's time: on the wall's clock a thread that waits would seem the busiest.
        profile = cProfile.Profile(time.thread_time)
        profiles.append((name, profile))
        profile.enable()

    def first_event(*_: object) -> None:
        # The hook is called at a thread's first event; cProfile then takes the hook's place.
        sys.setprofile(None)
        begin(f"{len(profiles)} {threading.current_thread().name}")

    threading.setprofile(first_event)
    begin("0 loop")
    try:
        cli.main(sys.argv[1:])
    finally:
        profiles[0][1].disable()
        for name, profile in profiles:
            profile.create_stats()
            if profile.stats:
                profile.dump_stats(folder / f"{name.replace('/', '-')}.prof")


if __name__ == "__main__":
    main()
