"""Look at a file's container before any parser does: what it is, and whether it is safe to open.

The parts of a package are looked at in parts.py. Macros are never run by anything here, so a workbook that
holds some is read like any other.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from pathlib import Path

from . import ole, parts
from .parts import LIMITS, Limits
from .shapes import Container, Kind, Rejected

_ZIP = b"PK"
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
    if start.startswith((b"<", b"mime-version:")):
        raise Rejected("unsupported_format", "markup")
    if start.startswith((b"%pdf", b"{\\rtf", b"\x89png", b"gif8", b"\xff\xd8\xff", b"rar!", b"7z\xbc\xaf")):
        raise Rejected("unsupported_format")
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
    if b"spreadsheetml" not in types and b"ms-excel.sheet" not in types:
        raise Rejected("unsupported_format", "document")
    return "xlsx"


def _begins_like_xml(head: bytes) -> bool:
    return head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def _head(package: zipfile.ZipFile, name: str | zipfile.ZipInfo, limit: int = 4096) -> bytes:
    with package.open(name) as part:
        return part.read(limit)


def _check_parts(
    package: zipfile.ZipFile, members: list[zipfile.ZipInfo], size: int, limits: Limits
) -> frozenset[str]:
    """Inflate every XML part once, within a budget, and look at each. Pictures and the like stay packed.

    The reader follows relations to parts of any name, so that what begins like XML is XML.
    """
    budget = min(limits.inflated_bytes, max(limits.ratio_from, size * limits.ratio))
    tags = 0
    to_scan = set()
    for member in members:
        if not member.filename.lower().endswith((".xml", ".rels", ".vml")) and not _begins_like_xml(
            _head(package, member, 64)
        ):
            continue
        tally = parts.look(package, member, budget, limits)
        budget -= tally.size
        tags += tally.tags
        if tags > limits.tags:
            raise Rejected("too_large", "elements")
        if tally.needs_scan:
            to_scan.add(member.filename)
    return frozenset(to_scan)
