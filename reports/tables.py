"""What a report hands to a writer: titled columns of a known kind, and plain rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


class Kind(Enum):
    """How a cell is to be written. Text is never anything but text, whatever it looks like."""

    TEXT = "text"
    FEN = "fen"  # an int of fen, shown as yuan
    COUNT = "count"
    RATE = "rate"  # an int of basis points, shown as per cent
    DATE = "date"
    TIME = "time"  # an aware datetime, shown in China's time


@dataclass(frozen=True)
class Column:
    title: Any  # a text, translated when it is written
    kind: Kind = Kind.TEXT
    width: int = 14  # characters of half width
    total: bool = False


@dataclass(frozen=True)
class Table:
    """One sheet: facts above (label, value), then a heading row, then rows in the columns' order."""

    title: Any
    columns: Sequence[Column]
    rows: Iterable[Sequence[object]]
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    total_label: str = ""  # a sum row is written where this is not empty


def cleaned(text: object, limit: int = 32_767) -> str:
    """Text that any spreadsheet can hold: no control characters but line feeds, at most `limit` characters."""
    kept = "".join(c for c in str(text) if c in "\n\t" or (ord(c) >= 32 and ord(c) not in range(0x7F, 0xA0)))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
