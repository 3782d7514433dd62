"""Whoever looks keeps no charger waiting."""

import statistics
from pathlib import Path

from bench import site, viewers
from onprem_csms import app, config
from onprem_csms.db.engine.keys import DataFolder

MESSAGES = 60_000
HANDSHAKES = 20


async def test_searches_reports_and_open_pages_keep_no_charger_waiting_and_health_green(
    tmp_path: Path,
) -> None:
    identities = await site.furnish(tmp_path, HANDSHAKES + 40, 1, operator=True)
    async with site.opened(tmp_path) as store:
        await viewers.fill(store, identities, MESSAGES)
    settings = config.parse({"server": {"host": "127.0.0.1", "port": 0}})
    async with app.running(settings, DataFolder(tmp_path / "data")) as program:
        seen = await viewers.look(program.port, identities, HANDSHAKES)
    assert len(seen.handshakes) == HANDSHAKES
    assert set(seen.health) == {200}
    assert seen.searches > 0
    # Four searches run at any moment; a handshake that stood behind them in a queue would see them end.
    assert statistics.median(seen.searches_within) < viewers.SEARCHES
