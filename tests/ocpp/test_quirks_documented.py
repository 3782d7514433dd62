"""Every deviation that is counted is explained to whoever reads the counter."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# What frames and meter values name in passing: literals handed to these, or put into what is named so.
_COLLECTED = re.compile(r"quirks?|found")


def kinds_in(source: str) -> Iterator[str]:
    """The kinds that a module counts: literals given to ``quirk``, ``append`` and ``_unreadable``, and subscripts."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("quirk", "append") and _COLLECTED.search(ast.unparse(node.func)):
                yield from (str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            subscript = node.targets[0]
            if ast.unparse(subscript.value) == "quirks" and isinstance(subscript.slice, ast.Constant):
                yield str(subscript.slice.value)


def test_every_deviation_is_documented_and_none_that_is_not_counted(root: Path) -> None:
    documented = set(
        re.findall(r"^\| `([a-z_]+)` \|", (root / "docs" / "chargers.md").read_text(), re.MULTILINE)
    )
    sources = [path.read_text() for path in (root / "onprem_csms" / "ocpp").rglob("*.py")]
    counted = {kind for source in sources for kind in kinds_in(source)}
    assert len(counted) > 20
    assert counted - documented == set()
    # A few are seen only where the sessions are known.
    services = (root / "onprem_csms" / "services" / "charging").rglob("*.py")
    everything = "\n".join([*sources, *(path.read_text() for path in services)])
    assert {kind for kind in documented if f'"{kind}"' not in everything} == set()
