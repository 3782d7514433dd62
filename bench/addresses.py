"""Every address of a site that is read: each page of the operators and the desk, each list of the API, their filters.

Taken from the tables of routes, so that a page that is new is measured too. An example of each kind of thing fills the
places of an address; a kind without one is a KeyError, to be added to ``Examples``.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlencode

from onprem_csms.web.admin import desk, routes
from onprem_csms.web.api.route import PREFIX
from onprem_csms.web.api.routes import document

Examples = Mapping[str, str]
"""Kind → an example of it: the word before the place in an address ("sessions"), or the place's own name."""

Get = Callable[[str], Awaitable[str]]
_PLACE = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^}]*\})+))?\}")
# An event stream never ends, a link of the set-up and a page of an order are used up.
_NOT_PAGES = re.compile(r"^/(setup|admin/sign-in|admin/events|desk/tap)")
_SOME_TEXT = "ab"
_SOME_MOMENT = "2026-12-01T06:00:00Z"


def pages(examples: Examples) -> list[str]:
    """The pages of the operators' site and the desk."""
    tables = (*routes.ROUTES, *desk.ROUTES)
    wanted = [path for method, path, *_ in tables if method == "GET" and not _NOT_PAGES.match(path)]
    return [filled for path in wanted for filled in fill(path, examples)]


def fill(path: str, examples: Examples) -> Iterator[str]:
    """An address with its places filled in; each of the words that a place may be is an address of its own."""
    place = _PLACE.search(path)
    if place is None:
        yield path
        return
    before = path[: place.start()].rstrip("/").rpartition("/")[2]
    words = (place[2] or "").split("|")
    for example in words if len(words) > 1 else [examples.get(before) or examples[place[1]]]:
        filled = quote(example, safe="")
        yield from fill(path[: place.start()] + filled + path[place.end() :], examples)


def api(examples: Examples) -> list[str]:
    """The reading addresses of the API, each as it is and with each of its filters."""
    found = []
    for path, methods in document()["paths"].items():
        if "get" not in methods:
            continue
        for base in fill(path, examples):
            found.append(PREFIX + base)
            for name, value in _filters(methods["get"].get("parameters", ()), examples):
                found.append(f"{PREFIX}{base}?{urlencode({name: value})}")
    return found


def _filters(parameters: Iterable[Mapping[str, Any]], examples: Examples) -> Iterator[tuple[str, str]]:
    for parameter in parameters:
        name = parameter["name"]
        if parameter["in"] == "query" and name != "cursor":
            schema = parameter["schema"]
            for one in schema.get("anyOf", [schema]):
                yield from ((name, value) for value in _values(name, one, examples))


def _values(name: str, schema: Mapping[str, Any], examples: Examples) -> list[str]:
    if "enum" in schema:
        return [str(value) for value in schema["enum"]]
    if schema["type"] == "null":
        return []
    if schema["type"] == "boolean":
        return ["true"]
    if schema.get("format") == "date-time":
        return [_SOME_MOMENT]
    known = examples.get(name) or examples.get(f"{name}s")
    largest = schema.get("maximum")
    return [known or (str(min(largest, 200)) if largest else _SOME_TEXT)]


class Filters(HTMLParser):
    """The forms of a page that only look: its filters, each with every choice."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._inside = False
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a field of a form that only looks, or its choice."""
        have = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = have.get("method", "get").lower() == "get"
        elif not self._inside:
            return
        elif tag == "select":
            self._select = have.get("name")
        elif tag == "option" and self._select and have.get("value"):
            self.found.append((self._select, have["value"]))
        elif tag == "input" and have.get("name") and have.get("type") != "hidden":
            self.found.append((have["name"], have.get("value") or _SOME_TEXT))

    def handle_endtag(self, tag: str) -> None:
        """Leave a form or its choices."""
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = None


def choices(path: str, text: str) -> list[str]:
    """The addresses that the filters of a page lead to, at most four of each."""
    reader = Filters()
    reader.feed(text)
    seen: dict[str, int] = {}
    found = []
    for name, value in reader.found:
        seen[name] = seen.get(name, 0) + 1
        if seen[name] <= 4:
            found.append(f"{path}?{urlencode({name: value})}")
    return found


def following(path: str, text: str) -> list[str]:
    """The next page of a list: a link of the same page with a cursor, or ``next`` of the API."""
    if path.startswith(PREFIX):
        cursor = re.search(r'"next":"([^"]+)"', text)
        sign = "&" if "?" in path else "?"
        return [f"{path}{sign}{urlencode({'cursor': cursor[1]})}"] if cursor else []
    links = re.search(r'<nav class="pages".*?</nav>', text, re.DOTALL)
    found = re.findall(r'href="([^"]+)"', links[0]) if links else []
    base = path.partition("?")[0]
    return [base + link if link.startswith("?") else link for link in map(unescape, found)]


async def every(get: Get, examples: Examples) -> list[str]:
    """Read every address, its filters and the page after it; returns what was read."""
    waiting = [*pages(examples), *api(examples)]
    read: list[str] = []
    followed: set[str] = set()  # one page further is far enough
    while waiting:
        path = waiting.pop(0)
        if path in read:
            continue
        text = await get(path)
        read.append(path)
        if "?" not in path and not path.startswith(PREFIX):
            waiting += choices(path, text)
        if path not in followed:
            followed |= set(after := following(path, text))
            waiting += after
    return read
