"""Years of a site: made through the services, then read as people read it, and proven."""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession, CookieJar

from bench import addresses, decade, measure, servers, site
from bench.decade import Life
from bench.site import NAME, PASSWORD
from onprem_csms.db.chargers.message_log import MESSAGES
from onprem_csms.db.engine import keys
from onprem_csms.db.engine.database import Database
from onprem_csms.db.engine.keys import DataFolder
from onprem_csms.demo.history import moved
from onprem_csms.services.access import api_keys, operators
from onprem_csms.services.access.operators import NewOperator
from onprem_csms.services.core.context import Tx

MARK_PAGE_MS, MARK_REPORT_MS, MARK_VERIFY_S, MARK_BYTES = 100.0, 1_000.0, 60.0, 1_000.0
MESSAGES_KEPT = timedelta(days=30)
AT_ONCE = timedelta(days=4)
"""So much is told in one transaction."""
YEAR_S_REPORT = "/api/v1/reports/days?days=366"
TRIES = 3
_CONFIG = '[server]\nhost = "127.0.0.1"\n\n[log]\nlevel = "warning"\n'


@dataclass(frozen=True, slots=True)
class Made:
    """A site that was made: its sessions, and the secret of a key for its API."""

    sessions: int
    secret: str
    examples: dict[str, str]


async def run(folder: Path, years: float) -> None:
    """Make the site, read every page and list of it, prove its books; print what that took."""
    os.sched_setaffinity(0, {servers.core(servers.LOAD_CORE)})
    print(f"load average {measure.load_average():.2f} before", flush=True)
    made = await _make(folder, years)
    slowest = await _read(folder, made)
    began = time.perf_counter()
    verified = await asyncio.to_thread(_verify, folder)
    verify_s = time.perf_counter() - began
    per_session = _bytes(folder) / made.sessions
    print(
        f"{verified}\n{_bytes(folder) / 1e6:.0f} MB, marks: page {MARK_PAGE_MS:.0f} ms, verify {MARK_VERIFY_S:.0f} s,"
    )
    print(f"{MARK_BYTES:.0f} bytes a session, at ten years")
    print(f"slowest page {slowest:.0f} ms, verify {verify_s:.1f} s, {per_session:.0f} bytes a session")


# ---------------------------------------------------------------------- making


async def _make(folder: Path, years: float) -> Made:
    (folder / "config.toml").write_text(_CONFIG)
    until = datetime.now(UTC)
    began = until - timedelta(days=365.25 * years)
    life = Life(random.Random(1), until - MESSAGES_KEPT)
    keys.create(DataFolder(folder / "data"))
    async with site.opened(folder) as store:
        ctx = site.context(store)
        await operators.add(ctx, NewOperator(NAME, PASSWORD))
        key = await ctx.store.write(api_keys.create, NAME, "admin")
        await ctx.store.write(_build, life, began)
        await _tell(ctx.store, life, began, until)
        examples = await ctx.store.read(_examples)
    return Made(life.sessions, key.secret, examples)


def _build(tx: Tx, life: Life, at: datetime) -> None:
    with moved(tx, at):
        decade.build(tx, life)


async def _tell(store: Database, life: Life, began: datetime, until: datetime) -> None:
    told = decade.history(life, began, until)
    day, start, shown = began, time.perf_counter(), 0.0
    while day < until:
        day = min(day + AT_ONCE, until)
        await store.write(told.tell, day)
        for message in life.said:
            store.append(MESSAGES, message)
        life.said.clear()
        if time.perf_counter() - shown > 15:
            shown = time.perf_counter()
            rate = life.sessions / (shown - start)
            print(f"    {day:%Y-%m-%d}: {life.sessions} sessions, {rate:.0f} a second", flush=True)
    print(f"{life.sessions} sessions made in {time.perf_counter() - start:.0f} s", flush=True)


def _examples(tx: Tx) -> dict[str, str]:
    """Things to look at, from the middle of the site's life."""
    session = tx.value("SELECT max(id) / 2 FROM sessions")
    top_up = tx.one(
        """
        SELECT e.id, k.uid, k.person_id, k.wallet_id
        FROM entries e
        JOIN postings p ON p.entry_id = e.id
        JOIN accounts a ON a.id = p.account_id
        JOIN cards k ON k.wallet_id = a.wallet_id
        WHERE e.kind = 'topup'
        LIMIT 1
        """
    )
    assert top_up is not None
    return {
        **dict.fromkeys(["chargers", "charger"], decade.name_of(7)),
        **dict.fromkeys(["cards", "card", "tokens", "token"], str(top_up[1])),
        **dict.fromkeys(["people", "person"], str(top_up[2])),
        **dict.fromkeys(["wallets", "wallet"], str(top_up[3])),
        **dict.fromkeys(["top-ups", "topups", "ledger"], str(top_up[0])),
        **dict.fromkeys(["sessions", "session"], str(session)),
        **dict.fromkeys("connectors tariffs operators reviews reservations commands".split(), "1"),  # noqa: SIM905
        **dict.fromkeys(["charging-profiles", "transaction_id"], "1"),
    }


# ---------------------------------------------------------------------- reading


async def _read(folder: Path, made: Made) -> float:
    """Read everything as a signed-in operator and as a program; returns milliseconds of the slowest page or list."""
    served = servers.start_ours(folder)
    base = f"http://127.0.0.1:{served.port}"
    took: dict[str, list[float]] = {}
    try:
        async with ClientSession(cookie_jar=CookieJar(unsafe=True), headers={"Origin": base}) as http:
            form = {"name": NAME, "password": PASSWORD}
            async with http.post(f"{base}/admin/sign-in", data=form, allow_redirects=False) as answer:
                assert answer.status == 303, await answer.text()

            async def get(path: str) -> str:
                headers = {"Authorization": f"Bearer {made.secret}"} if path.startswith("/api/") else {}
                began = time.perf_counter()
                async with http.get(base + path, headers=headers, allow_redirects=False) as response:
                    text = await response.text(errors="replace")
                took.setdefault(path, []).append((time.perf_counter() - began) * 1000)
                assert response.status < 500, f"{path}: {response.status}"
                return text

            for path in [*await addresses.every(get, made.examples), YEAR_S_REPORT]:
                for _ in range(TRIES):
                    await get(path)
    finally:
        served.stop()
    return _slowest({path: statistics.median(times) for path, times in took.items()})


def _slowest(took: dict[str, float]) -> float:
    """Print the slowest; returns the slowest of those that are no report."""
    print(f"{len(took)} pages, lists and filters; a year's report {took[YEAR_S_REPORT]:.0f} ms, the slowest:")
    for path, ms in sorted(took.items(), key=lambda item: -item[1])[:15]:
        print(f"    {ms:8.1f} ms {path}", flush=True)
    return max(ms for path, ms in took.items() if "/reports/days?" not in path)


def _verify(folder: Path) -> str:
    command = [sys.executable, "-m", "onprem_csms", "verify", "--data-dir", str(folder / "data")]
    done = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()[-2000:]


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in (folder / "data").iterdir() if file.name.startswith("csms"))
