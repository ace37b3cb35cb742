"""What the fast reader does not tell of an .ods: merged cells and hidden rows."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from .parts import LIMITS
from .shapes import Range, Rejected


@dataclass
class Layout:
    """The merges and hidden rows of one sheet, counted from 0."""

    merges: list[Range] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)


def layouts(path: Path) -> dict[str, Layout]:
    """The layout of every sheet, by name."""
    try:
        with zipfile.ZipFile(path) as package, package.open("content.xml") as part:
            scan = _Scan()
            parser = expat.ParserCreate()
            parser.StartElementHandler = scan.start
            while piece := part.read(1 << 18):
                parser.Parse(piece, False)
            parser.Parse(b"", True)
    except (zipfile.BadZipFile, KeyError, expat.ExpatError, ValueError) as error:
        raise Rejected("corrupt", type(error).__name__) from error
    return scan.found


class _Scan:
    """The state of one pass over the content."""

    def __init__(self) -> None:
        self.found: dict[str, Layout] = {}
        self.sheet = Layout()
        self.next_row = self.row = self.column = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local = tag.rpartition(":")[2]
        if local == "table":
            self.sheet = self.found.setdefault(_of(attributes, "name"), Layout())
            self.next_row = 0
        elif local == "table-row":
            self.row, self.column = self.next_row, 0
            self.next_row += _number(attributes, "number-rows-repeated")
            if _of(attributes, "visibility") in ("collapse", "filter"):
                self.sheet.hidden.update(range(self.row, min(self.next_row, self.row + LIMITS.rows)))
        elif local in ("table-cell", "covered-table-cell"):
            down, across = (_number(attributes, f"number-{what}-spanned") for what in ("rows", "columns"))
            if down > 1 or across > 1:
                if len(self.sheet.merges) >= LIMITS.merges:
                    raise Rejected("too_large", "merges")
                last = (self.row + down - 1, self.column + across - 1)
                self.sheet.merges.append(Range(self.row, self.column, *last))
            self.column += _number(attributes, "number-columns-repeated")


def _of(attributes: dict[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == name), "")


def _number(attributes: dict[str, str], name: str) -> int:
    text = _of(attributes, name)
    return max(1, int(text)) if text.isdecimal() and len(text) < 9 else 1
