"""Searching lists the way people type: any word, in any case, with or without accents."""

import unicodedata


def folded(text: str) -> str:
    """Fold case and accents away, so that "Kovacs" finds "KOVÁCS"."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def matches(wanted: str, *fields: str | None) -> bool:
    """Tell whether every word of ``wanted`` occurs in one of the fields."""
    hay = folded(" ".join(field for field in fields if field))
    return all(word in hay for word in folded(wanted).split())
