"""Cells as a person sees them in the sheet, for pages that show them. ID and card numbers are masked."""

from __future__ import annotations

import datetime as dt
import re

from .shapes import Cell, CellError, NoValue, Row

_LONG = re.compile(r"[0-9][0-9 \-]{13,}[0-9Xx]")  # an ID number, a bank card
_IDENTITY = re.compile(
    r"(?<![0-9])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9Xx](?![0-9])"
)
_TEXT_CHARS = 200


def text(cell: Cell, limit: int = _TEXT_CHARS) -> str:
    """One line of text that can be stored and shown."""
    if type(cell) is str:
        found = cell
    elif isinstance(cell, CellError):
        found = cell.text
    elif isinstance(cell, NoValue):
        found = ""
    elif isinstance(cell, bool):
        found = "TRUE" if cell else "FALSE"
    elif isinstance(cell, float | int):
        found = str(int(cell)) if abs(cell) < 1e15 and cell == int(cell) else repr(cell)
    elif isinstance(cell, dt.datetime) and cell.time() == dt.time():
        found = cell.date().isoformat()
    else:
        found = cell.isoformat(" ") if isinstance(cell, dt.datetime) else str(cell)
    if not found.isprintable():
        found = "".join(char if char.isprintable() else " " for char in found)
    found = found.strip()
    return found if len(found) <= limit else found[: limit - 1] + "…"


def masked(found: str) -> str:
    """Text from any column: what may be an ID or a card number keeps its first and last digits only."""
    return _LONG.sub(lambda match: hidden(match[0]), found)


def masked_identity(found: str) -> str:
    """Text of a known column: only what is formed like an ID number is masked."""
    return _IDENTITY.sub(lambda match: hidden(match[0]), found)


def hidden(found: str) -> str:
    """An ID number that can be told from another, and not read."""
    return (
        found
        if not found
        else f"{found[:3]}{'*' * max(4, len(found) - 5)}{found[-2:]}"
        if len(found) > 7
        else "*" * 7
    )


def sample(cell: Cell, limit: int = 40) -> str:
    """A cell of an unknown column, short and masked."""
    return masked(text(cell))[:limit]


def by_field(row: Row, columns: dict[str, tuple[int, ...]]) -> dict[str, str]:
    """The cells of one row under their fields; the levels of a department joined."""
    found = {}
    for name, places in columns.items():
        parts = [text(row[place]) for place in places if place < len(row)]
        joined = "/".join(part for part in parts if part)
        found[name] = hidden(joined) if name == "id_number" else masked_identity(joined)
    return found
