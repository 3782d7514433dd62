"""``python -m bench``: measures the product against a bare server and prints the table.

The server runs on one core, the load on the other, both on uvloop. See bench/README.md.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import uvloop

from bench import attacks, damage, kills, measure, overshoot, profiling, runs, servers, site, viewers, years
from bench.loops import KINDS
from bench.runs import Cost, Crowd, Plan
from bench.speech import Speech
from bench.v16 import V16
from bench.v201 import V201
from bench.wire import Identity
from installer.optimized import profile_guided

VERSIONS: dict[str, Callable[[Identity], Speech]] = {"1.6": V16, "2.0.1": V201}
NAMES = {
    "readings": "readings of a running prepaid session",
    "personal": "sessions of personal cards",
    "prepaid": "sessions of prepaid cards",
}
PARTS = (*KINDS, "storm", "latency")
ALONE = ("years", "viewers", "kills", "damage", "attacks", "overshoot")
MARK_RATIO = {"readings": 0.33, "personal": 0.28, "prepaid": 0.25}
MARK_STORM_S, MARK_KIB, MARK_P99_MS = 2.0, 20.0, 10.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs, figures only roughly right")
    parser.add_argument("--rounds", type=int, help="rounds of each closed loop")
    parser.add_argument("--only", choices=(*PARTS, *ALONE), action="append", help="measure only this")
    parser.add_argument("--version", choices=VERSIONS, action="append", help="of OCPP; default: both")
    parser.add_argument("--years", type=float, default=10.0, help="of a site's life, for --only years")
    parser.add_argument("--profile", choices=(*KINDS, "storm"), help="say where the time goes instead")
    parser.add_argument("--folder", type=Path, help="where the databases go (default: a temporary folder)")
    options = parser.parse_args()
    _raise_limit()
    plan = runs.QUICK if options.quick else Plan()
    plan = plan if options.rounds is None else replace(plan, rounds=options.rounds)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
    try:
        if options.profile:
            speech = VERSIONS[(options.version or ["1.6"])[0]]
            uvloop.run(profiling.run(folder, options.profile, plan, speech))
        elif options.only and options.only[0] in ALONE:
            uvloop.run(_alone(folder, options))
        else:
            uvloop.run(run(folder, plan, options.only or PARTS, options.version or list(VERSIONS)))
    finally:
        shutil.rmtree(folder)


async def _alone(folder: Path, options: argparse.Namespace) -> None:
    part = options.only[0]
    if part == "damage":
        await damage.run(folder, damage.QUICK if options.quick else damage.Numbers())
    elif part == "kills":
        await kills.run(folder, kills.QUICK if options.quick else kills.Numbers())
    elif part == "overshoot":
        await overshoot.run(folder)
    elif part == "years":
        await years.run(folder, options.years)
    elif part == "attacks":
        await attacks.run(folder, attacks.QUICK if options.quick else attacks.Numbers())
    else:
        await viewers.run(folder)


async def run(folder: Path, plan: Plan, parts: Sequence[str], versions: Sequence[str]) -> None:
    """Measure and print."""
    os.sched_setaffinity(0, {servers.core(servers.LOAD_CORE)})
    print(f"{os.cpu_count()} cores, load average {measure.load_average():.2f} before", flush=True)
    if not profile_guided():
        print(
            f"{sys.executable} was built without profile-guided optimization: figures are up to 20 % too low"
        )
    most = max(plan.stations, plan.storm_stations, plan.latency_stations)
    identities = await site.furnish(folder, most, max(plan.stations, plan.latency_stations))
    for version in versions:
        if set(KINDS) & set(parts):
            await _costs(folder, identities[: plan.stations], plan, parts, version)
    if "storm" in parts:
        await _storm(folder, identities[: plan.storm_stations])
    if "latency" in parts:
        await _latency(folder, identities, plan)
    print(f"load average {measure.load_average():.2f} after")


async def _costs(
    folder: Path, identities: Sequence[Identity], plan: Plan, parts: Sequence[str], version: str
) -> None:
    bound, ours = servers.start_bound(folder), servers.start_ours(folder)
    speech = VERSIONS[version]
    try:
        crowds = (
            await Crowd.gather(bound, identities, speech),
            await Crowd.gather(ours, identities, speech),
        )
        for name, kind in KINDS.items():
            if name in parts:
                found = await runs.cost(*crowds, kind, plan)
                _print_cost(f"ratio, {version}, {NAMES[name]}", found, MARK_RATIO[name])
        for crowd in crowds:
            crowd.leave()
    finally:
        bound.stop()
        ours.stop()


def _print_cost(name: str, cost: Cost, mark: float) -> None:
    bound, ours = runs.middle(cost.bound), runs.middle(cost.ours)
    _row(name, f"{cost.ratio:.3f}", f">= {mark}", reached=cost.ratio >= mark)
    for who, one in (("bound", bound), ("ours", ours)):
        print(
            f"    {who:6} {one.server_s * 1e6:6.1f} us of CPU a call   {1 / one.wall_s:8.0f} calls/s"
            f"   (generator {one.load_s * 1e6:.1f} us)",
            flush=True,
        )


async def _storm(folder: Path, identities: Sequence[Identity]) -> None:
    found = await runs.storm(folder, identities)
    kib = found.bytes_per_station / 1024
    name = f"{len(identities)} stations connect, authenticate and boot"
    _row(name, f"{found.seconds:.2f} s", f"<= {MARK_STORM_S:.0f} s", reached=found.seconds <= MARK_STORM_S)
    print(f"    {found.cpu_s / len(identities) * 1e6:.0f} us of CPU a station, {found.refusals} refusals")
    _row("memory of an idle station", f"{kib:.1f} KiB", f"<= {MARK_KIB:.0f} KiB", reached=kib <= MARK_KIB)


async def _latency(folder: Path, identities: Sequence[Identity], plan: Plan) -> None:
    found = await runs.latency(folder, identities, plan)
    at: Callable[[float], float] = lambda part: 1000 * measure.percentile(found.sorted_s, part)  # noqa: E731
    name = f"p99 at {plan.latency_stations} stations, {plan.latency_rate} calls/s"
    _row(name, f"{at(0.99):.1f} ms", f"< {MARK_P99_MS:.0f} ms", reached=at(0.99) < MARK_P99_MS)
    print(
        f"    p50 {at(0.5):.1f} ms   p99 {at(0.99):.1f} ms   p99.9 {at(0.999):.1f} ms"
        f"   max {at(1.0):.1f} ms   server at {found.server_load:.0%} of a core"
    )


def _row(what: str, value: str, mark: str, *, reached: bool) -> None:
    print(f"{what:52} {value:>10}   mark {mark:>9}   {'reached' if reached else 'MISSED'}", flush=True)


def _raise_limit() -> None:
    """Let this process and the servers it starts open as many sockets as they may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
