"""Look at one XML part of a package as it inflates, piece by piece, before any parser does.

Bytes are counted as they come out, and each piece is searched while it is still in the processor's cache: this
costs a third of what the reader itself costs.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast
from xml.parsers import expat

from .shapes import Rejected


@dataclass(frozen=True)
class Limits:
    """How much a roster may ask of us. 100,000 rows of ten columns inflate to 54 MB."""

    file_bytes: int = 20_000_000
    inflated_bytes: int = 160_000_000
    ratio: int = 250  # inflated to packed, looked at above ratio_from bytes
    ratio_from: int = 20_000_000
    parts: int = 5_000
    directory_bytes: int = 2_000_000
    tags: int = 16_000_000  # of all parts together, start and end
    small_part_tags: int = 400_000  # of a part that is neither a sheet nor the shared strings
    depth: int = 64
    merges: int = 50_000  # of one sheet
    area: int = 12_000_000  # rows x columns of one sheet, which the reader lays out in full
    rows: int = 200_000
    columns: int = 16_384
    prolog_bytes: int = 65_536


LIMITS = Limits()

_SHEET_ROOT = re.compile(rb"<(?:[A-Za-z0-9_.-]+:)?worksheet[\s>/]")
_PIECE = 1 << 16
# Columns from AA on; the usual 26 are passed over.
_WIDE_CELL = re.compile(rb""" r=["']([A-Za-z]{2,9})([0-9]{1,9})""")
_ROW = re.compile(rb"""row\s[^<>]{0,200}?\br=["']([0-9]{1,9})["']""")
_CELL = re.compile(rb"""c r=["']([A-Za-z]{1,3}[0-9]{1,7})["']""")
_USUAL_COLUMNS = 26
_SMALL = 1_000_000  # bytes of a part, up to which cells that come twice are looked for
# A formula, an error cell, a hidden row; finding one too many costs a second look, no more.
_MARKS = (b"</f>", b't="e"', b"hidden=")
_RARE_MARKS = (b":f>", b"t='e'")  # of the few writers that use prefixes or single quotes


@dataclass
class Tally:
    """What has come out of one part so far."""

    size: int = 0
    tags: int = 0
    depth: int = 0
    merges: int = 0
    last_row: int = 0
    bottom: int = 1
    right: int = _USUAL_COLUMNS
    marks: tuple[bytes, ...] = ()  # what is searched for in a sheet
    needs_scan: bool = False


def look(package: zipfile.ZipFile, member: zipfile.ZipInfo, budget: int, limits: Limits) -> Tally:
    """Inflate a part to its end (which checks its CRC) and refuse what no honest part holds."""
    tally = Tally()
    is_large = member.filename.lower().endswith(("sharedstrings.xml", "content.xml"))
    is_sheet = False
    for piece in _pieces(package, member, budget, tally, limits):
        if not tally.tags:  # the root says what a part is, its name may be any
            is_sheet = _SHEET_ROOT.search(piece, 0, 4096) is not None
        _count(piece, tally, limits, is_deep=not is_sheet or tally.size <= _SMALL)
        if tally.tags > limits.small_part_tags and not (is_large or is_sheet):
            raise Rejected("too_large", "elements")
        if is_sheet:
            _look_at_sheet(piece, tally, limits)
    return tally


def _pieces(
    package: zipfile.ZipFile, member: zipfile.ZipInfo, budget: int, tally: Tally, limits: Limits
) -> Iterator[bytes]:
    """The part in pieces that end where a tag begins, stopping as soon as more comes out than is left."""
    rest = b""
    with cast(zipfile.ZipExtFile, package.open(member)) as part:
        while piece := part.read1(_PIECE):
            tally.size += len(piece)
            if tally.size > budget:
                raise Rejected("too_large", "inflates", megabytes=tally.size // 1_000_000)
            if tally.size == len(piece):
                while len(piece) < limits.prolog_bytes and (more := part.read1(_PIECE)):
                    tally.size += len(more)
                    piece += more
                check_prolog(piece, limits)
            cut = piece.rfind(b"<")
            if cut < 0:
                rest += piece
                if len(rest) > 8 * _PIECE:
                    yield rest
                    rest = b""
                continue
            yield rest + piece[:cut]
            rest = piece[cut:]
        if not tally.size:
            raise Rejected("corrupt", "xml")
        yield rest


def _count(piece: bytes, tally: Tally, limits: Limits, *, is_deep: bool) -> None:
    """Count tags, refuse what nests too deep, and a document type wherever it stands.

    Counting single bytes is exact enough for a limit: whatever closes holds a slash. The reader of a large sheet
    does not mind its depth.
    """
    tags = piece.count(b"<")
    tally.tags += tags
    special = piece.count(b"<!") if b"!" in piece else 0
    if special and (b"<!D" in piece or b"<!d" in piece):
        raise Rejected("unsafe_xml")
    if is_deep:
        tally.depth = max(0, tally.depth + tags - special - 2 * piece.count(b"/"))
        if tally.depth > limits.depth * 16:
            raise Rejected("too_large", "depth")


def _look_at_sheet(piece: bytes, tally: Tally, limits: Limits) -> None:
    before = tally.last_row
    _check_order(piece, tally)
    rows = [tally.last_row]
    for letters, digits in _WIDE_CELL.findall(piece):
        rows.append(int(digits))
        tally.right = max(tally.right, _column_number(letters))
    tally.bottom = max(tally.bottom, *rows)
    if tally.bottom > 1_048_576 or tally.right > limits.columns:
        raise Rejected("corrupt", "position")
    if tally.bottom * tally.right > limits.area:
        # The reader lays out rows x columns in full, so one far cell would cost gigabytes.
        raise Rejected("too_large", "far_cell")
    if tally.last_row == before:  # merges follow the rows
        tally.merges += piece.count(b"mergeCell ")
    if tally.merges > limits.merges:
        raise Rejected("too_large", "merges")
    if not tally.marks:
        head = piece.partition(b"?>")[2]
        tally.marks = _MARKS + (_RARE_MARKS if b":worksheet" in head or b"='" in head else ())
    if not tally.needs_scan:
        tally.needs_scan = any(mark in piece for mark in tally.marks)


def _check_order(piece: bytes, tally: Tally) -> None:
    """Rows come once each, in order: of two rows with one number the reader would keep but the last.

    As many rows as the numbers have grown by are taken to be in order; anything else is looked at one by one.
    Rows that lie about that meet the memory limit of whoever reads them.
    """
    count = piece.count(b"row ")
    found = _ROW.match(piece, max(0, piece.rfind(b"row ")))
    if found and int(found[1]) - tally.last_row == count:
        tally.last_row += count
    else:
        for number in map(int, _ROW.findall(piece)):
            if number <= tally.last_row:
                raise Rejected("corrupt", "row_order")
            tally.last_row = number
    if tally.size <= _SMALL:
        cells = _CELL.findall(piece)
        if len(set(cells)) != len(cells):
            raise Rejected("corrupt", "cell_twice")


def _column_number(name: bytes) -> int:
    number = 0
    for char in name.upper():
        number = number * 26 + char - 64
    return number


# --- the prolog --------------------------------------------------------------------------------------


class _RootSeen(Exception):
    """The prolog is over: no document type can follow."""


def check_prolog(data: bytes, limits: Limits = LIMITS) -> None:
    """Refuse a document type or an entity, by parser event, and any encoding that our reader would misread."""
    parser = expat.ParserCreate()
    encodings: list[str] = []

    def refuse(*_event: object) -> None:
        raise Rejected("unsafe_xml")

    def stop(*_event: object) -> None:
        raise _RootSeen

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.XmlDeclHandler = lambda _version, encoding, _standalone: encodings.append(
        (encoding or "utf-8").lower()
    )
    parser.StartElementHandler = stop
    try:
        parser.Parse(data[: limits.prolog_bytes], False)
    except _RootSeen:
        pass
    except (LookupError, ValueError) as error:  # an encoding that nobody knows
        raise Rejected("unsupported_format", "xml_encoding") from error
    except expat.ExpatError as error:
        raise Rejected("corrupt", "xml") from error
    else:
        raise Rejected("corrupt", "xml")  # no root element in sight
    if (
        b"\x00" in data[:4]
        or data[:2] in (b"\xff\xfe", b"\xfe\xff")
        or set(encodings) - {"utf-8", "us-ascii"}
    ):
        raise Rejected("unsupported_format", "xml_encoding")
