"""docs/api.md says what is true: its examples are run, its table is the one that answers."""

import contextlib
import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from onprem_csms.web.api.routes import ROUTES
from tests.api.charger import connected
from tests.api.conftest import Api, Reply

BLOCK = re.compile(r"^```(?P<kind>\w+)(?P<needs>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SECRET = "a secret of CP1"


class Example(NamedTuple):
    """A curl command, the charger that must be there for it, and what of the answer is shown."""

    command: str
    charger: str
    answer: Any


def examples(text: str) -> list[Example]:
    """Every curl of a document, each with the JSON that follows it."""
    found: list[Example] = []
    for block in BLOCK.finditer(text):
        if block["kind"] == "sh" and block["text"].startswith("curl"):
            found.append(Example(block["text"], block["needs"].strip().removeprefix("charger="), None))
        elif block["kind"] == "json" and found and found[-1].answer is None:
            found[-1] = found[-1]._replace(answer=json.loads(block["text"]))
    return found


def holds(shown: Any, whole: Any) -> bool:
    """Whether an answer says all that is shown of it."""
    if isinstance(shown, dict):
        return all(name in whole and holds(value, whole[name]) for name, value in shown.items())
    return bool(shown == whole)


async def run(api: Api, command: str) -> Reply:
    """Send what curl would."""
    words = shlex.split(command.replace("\\\n", " ").replace("$KEY", api.secrets["admin"]))[1:]
    method, body, headers, path = None, None, {}, ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, value = words.pop(0).split(": ", 1)
            headers[name] = value
        elif word == "-d":
            body = words.pop(0).encode()
        elif word == "-X":
            method = words.pop(0)
        else:
            path = word.removeprefix("$SITE/api/v1")
    return await api.ask(method or ("GET" if body is None else "POST"), path, body, None, headers=headers)


async def test_every_example_does_what_it_says(api: Api, root: Path) -> None:
    found = examples((root / "docs" / "api.md").read_text(encoding="utf-8"))
    assert len(found) > 10
    for example in found:
        async with contextlib.AsyncExitStack() as stack:
            if example.charger:
                await stack.enter_async_context(connected(api.port, example.charger, SECRET))
            reply = await run(api, example.command)
        # Only a problem document has a status of its own that is a number.
        problem = (example.answer or {}).get("title") and example.answer["status"]
        assert reply.status == problem if problem else reply.status < 300, (example.command, reply.body)
        assert example.answer is None or holds(example.answer, reply.body), (example, reply.body)


def test_the_table_of_addresses_is_the_one_that_answers(root: Path) -> None:
    text = (root / "docs" / "api.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| ([A-Z]+) \| `(/\S+)` \| (\w+) \|", text, re.MULTILINE)
    assert table == [(route.method, route.path, route.role) for route in ROUTES]
