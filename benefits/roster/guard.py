"""Look at a file's container before any parser does: what it is, and whether it is safe to open.

Counts the bytes that really come out of a zip, refuses document types by parser event, and
needs no more memory than one inflated part.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from . import ole
from .shapes import Container, Kind, Rejected


@dataclass(frozen=True)
class Limits:
    """How much a roster may ask of us. 100,000 rows of ten columns inflate to 54 MB."""

    file_bytes: int = 20_000_000
    inflated_bytes: int = 160_000_000
    ratio: int = 250  # inflated to packed, looked at above ratio_from bytes
    ratio_from: int = 20_000_000
    parts: int = 5_000
    directory_bytes: int = 2_000_000
    elements: int = 8_000_000  # of all parts together
    small_part_elements: int = 200_000  # of a part that is neither a sheet nor the shared strings
    depth: int = 64
    merges: int = 50_000  # of one sheet
    area: int = 12_000_000  # rows x columns of one sheet, which the reader lays out in full
    rows: int = 200_000
    columns: int = 16_384
    prolog_bytes: int = 65_536


LIMITS = Limits()

_ZIP = b"PK"
_SHEET_PART = re.compile(r"xl/worksheets/[^/]+\.xml", re.I)
# Each begins with plain bytes (or a colon, for prefixed tags), which the search skips to at full speed.
_ROW = re.compile(rb"""row\s[^>]*?\br=["'](\d+)["']""")
_WIDE_CELL = re.compile(rb""" r=["']([A-Za-z]{2,})\d""")
_DEEP_CELL = re.compile(rb""" r=["'][A-Za-z]{1,8}(\d{6,})["']""")
# A formula, an error cell, a hidden row; finding one too many costs a second look, no more.
_NEEDS_SCAN = (b"<f", b":f", b't="e"', b"t='e'", b"hidden=")
_BAD_NAME = re.compile(r"(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[A-Za-z]:|\\|\x00")


def inspect(path: Path, limits: Limits = LIMITS) -> Container:
    """Say what the bytes are. Raises Rejected where they must not be opened."""
    size = path.stat().st_size
    if size == 0:
        raise Rejected("empty_file")
    if size > limits.file_bytes:
        raise Rejected("too_large", "file", megabytes=limits.file_bytes // 1_000_000)
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(ole.MAGIC):
        return Container(kind=ole.kind_of(path), size=size)
    if head.startswith(_ZIP):
        return _inspect_zip(path, size, limits)
    return Container(kind=_inspect_text(head), size=size)


def _inspect_text(head: bytes) -> Kind:
    """Refuse what is plainly neither a workbook nor a table in text; decoding decides the rest."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if start.startswith(
        (b"<", b"%pdf", b"{\\rtf", b"\x89png", b"gif8", b"\xff\xd8\xff", b"rar!", b"7z\xbc\xaf")
    ):
        raise Rejected("unsupported_format", "markup" if start.startswith(b"<") else "")
    return "text"


# --- zip ---------------------------------------------------------------------------------------------


def _inspect_zip(path: Path, size: int, limits: Limits) -> Container:
    try:
        _check_directory_size(path, limits)
        with zipfile.ZipFile(path) as package:
            members = package.infolist()
            _check_members(members, limits)
            kind = _zip_kind(package)
            return Container(kind=kind, size=size, parts_to_scan=_check_parts(package, members, size, limits))
    except Rejected:
        raise
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, struct.error) as error:
        raise Rejected("corrupt", type(error).__name__) from error
    except (EOFError, OSError, ValueError, KeyError, UnicodeError) as error:
        raise Rejected("corrupt", type(error).__name__) from error


def _check_directory_size(path: Path, limits: Limits) -> None:
    """Read the end record first: a huge directory would cost memory before we could count its entries."""
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 65_557))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise Rejected("corrupt", "truncated")
    disk, start_disk, _here, count, directory_bytes = struct.unpack_from("<HHHHI", tail, at + 4)
    if disk or start_disk or 0xFFFF in (count,) or directory_bytes == 0xFFFFFFFF:
        raise Rejected("corrupt", "multi_disk")
    if count > limits.parts or directory_bytes > limits.directory_bytes:
        raise Rejected("too_large", "parts")


def _check_members(members: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.parts:
        raise Rejected("too_large", "parts")
    names: set[str] = set()
    for member in members:
        if member.flag_bits & 0x1:
            raise Rejected("encrypted", "zip")
        name = member.filename.casefold()
        is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
        if name in names or _BAD_NAME.search(member.filename) or is_link:
            raise Rejected("corrupt", "part_name")
        names.add(name)


def _zip_kind(package: zipfile.ZipFile) -> Kind:
    names = {name.casefold(): name for name in package.namelist()}
    if "mimetype" in names:
        if b"opendocument.spreadsheet" not in _head(package, names["mimetype"]):
            raise Rejected("unsupported_format", "document")
        manifest = names.get("meta-inf/manifest.xml")
        if manifest and b"encryption-data" in _head(package, manifest, 1_000_000):
            raise Rejected("encrypted", "ods")
        return "ods"
    if "[content_types].xml" not in names:
        raise Rejected("unsupported_format", "zip")
    types = _head(package, names["[content_types].xml"], 1_000_000).lower()
    if b"sheet.binary" in types:
        raise Rejected("unsupported_format", "xlsb")
    if b"macroenabled" in types or any(name.endswith("vbaproject.bin") for name in names):
        raise Rejected("unsupported_format", "macros")
    if b"spreadsheetml" not in types:
        raise Rejected("unsupported_format", "document")
    return "xlsx"


def _head(package: zipfile.ZipFile, name: str, limit: int = 4096) -> bytes:
    with package.open(name) as part:
        return part.read(limit)


def _check_parts(
    package: zipfile.ZipFile, members: list[zipfile.ZipInfo], size: int, limits: Limits
) -> frozenset[str]:
    """Inflate every XML part once, within a budget, and check each. Pictures and the like stay packed."""
    budget = limits.inflated_bytes
    elements = 0
    to_scan = set()
    for member in members:
        if not member.filename.lower().endswith((".xml", ".rels", ".vml")):
            continue
        data = _inflate(package, member, budget)
        budget -= len(data)
        if (inflated := limits.inflated_bytes - budget) > max(limits.ratio_from, size * limits.ratio):
            raise Rejected("too_large", "inflates", megabytes=inflated // 1_000_000)
        check_xml(data, limits)
        elements += _count_elements(data, member.filename, limits)
        if elements > limits.elements:
            raise Rejected("too_large", "elements")
        if _SHEET_PART.fullmatch(member.filename):
            _check_geometry(data, limits)
            if any(mark in data for mark in _NEEDS_SCAN):
                to_scan.add(member.filename)
    return frozenset(to_scan)


def _inflate(package: zipfile.ZipFile, member: zipfile.ZipInfo, budget: int) -> bytes:
    """Read a part to its end (which checks its CRC), stopping as soon as more comes out than is left."""
    pieces: list[bytes] = []
    total = 0
    with package.open(member) as part:
        while piece := part.read(1 << 20):
            total += len(piece)
            if total > budget:
                raise Rejected("too_large", "inflates", megabytes=total // 1_000_000)
            pieces.append(piece)
    return b"".join(pieces)


# --- XML ---------------------------------------------------------------------------------------------


class _RootSeen(Exception):
    """The prolog is over: no document type can follow."""


def check_xml(data: bytes, limits: Limits = LIMITS) -> None:
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
    if b"<!D" in data or b"<!d" in data:
        # A document type after the root is not XML at all; no parser may be left to decide.
        raise Rejected("unsafe_xml")


def _count_elements(data: bytes, name: str, limits: Limits) -> int:
    """Count start tags, and refuse what nests too deep. Counting bytes is exact enough for a limit."""
    elements = depth = 0
    step = 1 << 16
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        tags, ends = piece.count(b"<"), piece.count(b"</")
        elements += tags - ends
        depth = max(0, depth + tags - 2 * ends - piece.count(b"/>") - piece.count(b"<!"))
        if depth > limits.depth * 16:
            raise Rejected("too_large", "depth")
    if elements > limits.small_part_elements:
        lowered = name.lower()
        if not _SHEET_PART.fullmatch(name) and not lowered.endswith(("sharedstrings.xml", "content.xml")):
            raise Rejected("too_large", "elements")
    return elements


def _check_geometry(data: bytes, limits: Limits) -> None:
    """The reader lays out rows x columns in full, so one far cell would cost gigabytes."""
    rows = [int(number) for number in _ROW.findall(data)]
    deep = _DEEP_CELL.findall(data)
    bottom = max(max(rows, default=1), max(map(int, deep), default=1))
    right = max(map(_column_number, set(_WIDE_CELL.findall(data))), default=26)
    if bottom > 1_048_576 or right > limits.columns or (rows and min(rows) < 1):
        raise Rejected("corrupt", "position")
    if bottom * right > limits.area:
        raise Rejected("too_large", "far_cell")
    if data.count(b"<mergeCell ") + data.count(b":mergeCell ") > limits.merges:
        raise Rejected("too_large", "merges")


def _column_number(name: bytes) -> int:
    number = 0
    for char in name.upper()[:8]:
        number = number * 26 + char - 64
    return number
