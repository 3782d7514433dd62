"""Nobody who is quoted in the log can write a line of their own."""

import io
import logging

from onprem_csms.logs import Escaping, escaped


def logged(text: str, error: Exception | None = None) -> str:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Escaping("%(levelname)s %(name)s: %(message)s"))
    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s said", (text,), None)
    if error is not None:
        record.exc_info = (type(error), error, None)
    handler.emit(record)
    return out.getvalue()


def test_a_line_that_a_peer_sent_stays_one_line() -> None:
    said = logged("CP1\nINFO onprem: all is well\x1b[2J\r\u2028\u202e\ud800")
    assert said.count("\n") == 1
    assert said.startswith("ERROR x: CP1\\nINFO onprem: all is well\\x1b[2J\\r\\u2028\\u202e\\ud800 said")


def test_the_lines_of_a_traceback_are_told_from_those_of_the_log() -> None:
    lines = logged("CP1", ValueError("a\nERROR x: forged\x1b")).splitlines()
    assert all(line.startswith("  | ") for line in lines[1:])
    assert len(lines) > 2


def test_what_is_endless_is_cut_and_words_of_every_language_stay() -> None:
    assert escaped("töltő – 充电 ✓") == "töltő – 充电 ✓"
    assert len(escaped("x" * 1_000_000)) < 11_000
