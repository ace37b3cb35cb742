"""What the fast reader does not tell of an .xlsx sheet: error cells, formulas without a value, number formats.

A light pass over the XML, run only where the guard saw a reason for it.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.parsers import expat

from . import formats, xls_details
from .shapes import Container, Details, Rejected, Sheet, column_of, letter


def details(path: Path, container: Container, sheet: Sheet, padded: Collection[int] = ()) -> Details:
    """The details of one sheet. Positions are (row, column) from 0; `padded` columns have their formats told."""
    if container.kind == "xls":
        return xls_details.details(path, sheet.name or "")
    if container.kind != "xlsx":
        return Details(hidden_rows=sheet.hidden_rows)
    try:
        with zipfile.ZipFile(path) as package:
            return _of_package(package, container, sheet.name or "", padded)
    except (zipfile.BadZipFile, KeyError, expat.ExpatError, ValueError) as error:
        raise Rejected("corrupt", type(error).__name__) from error


def _of_package(
    package: zipfile.ZipFile, container: Container, sheet: str, padded: Collection[int]
) -> Details:
    names = {name.casefold(): name for name in package.namelist()}
    workbook = names.get("xl/workbook.xml")
    if workbook is None:
        return Details()
    ids, date1904 = _sheet_ids(package.read(workbook))
    relations = names.get("xl/_rels/workbook.xml.rels")
    targets = _targets(package.read(relations)) if relations else {}
    part = names.get(_resolve(targets.get(ids.get(sheet, ""), "")).casefold())
    styles = names.get("xl/styles.xml")
    codes = _padding_styles(package.read(styles)) if styles and padded else {}
    if not part or not (codes or part in container.parts_to_scan):
        return Details(date1904=date1904)
    data = package.read(part)
    return replace(quick_scan(data, codes, padded) or full_scan(data, codes, padded), date1904=date1904)


def _resolve(target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    return posixpath.normpath(posixpath.join("xl", target))


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _sheet_ids(data: bytes) -> tuple[dict[str, str], bool]:
    ids: dict[str, str] = {}
    flags = {"1904": False}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "sheet":
            relation = next((v for k, v in attributes.items() if _local(k) == "id" and ":" in k), "")
            ids.setdefault(attributes.get("name", ""), relation)
        elif _local(tag) == "workbookPr":
            flags["1904"] = attributes.get("date1904", "0") in ("1", "true", "on")

    _parse(data, start)
    return ids, flags["1904"]


def _targets(data: bytes) -> dict[str, str]:
    targets: dict[str, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if _local(tag) == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(data, start)
    return targets


def _padding_styles(data: bytes) -> dict[str, str]:
    """Style index -> number format, for the formats that pad."""
    codes: dict[str, str] = {}
    styles: dict[str, str] = {}
    state = {"inside": False, "index": 0}

    def start(tag: str, attributes: dict[str, str]) -> None:
        local = _local(tag)
        if local == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif local == "cellXfs":
            state["inside"] = True
        elif local == "xf" and state["inside"]:
            code = codes.get(attributes.get("numFmtId", ""), "")
            if code and formats.pads(code):
                styles[str(state["index"])] = code
            state["index"] += 1

    def end(tag: str) -> None:
        if _local(tag) == "cellXfs":
            state["inside"] = False

    _parse(data, start, end)
    return styles


def _parse(data: bytes, start: Any, end: Any = None) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(data, True)


class _Scan:
    """The state of one pass over a sheet part."""

    def __init__(self, codes: dict[str, str], padded: Collection[int]) -> None:
        self.codes = codes
        self.padded = padded
        self.errors: dict[tuple[int, int], str] = {}
        self.without_value: set[tuple[int, int]] = set()
        self.formats: dict[tuple[int, int], str] = {}
        self.hidden: set[int] = set()
        self.row = self.column = -1
        self.kind = self.style = ""
        self.formula = self.in_value = False
        self.text = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        local = _local(tag)
        if local == "c":
            self._place(attributes.get("r", ""))
            self.kind = attributes.get("t", "n")
            self.style = attributes.get("s", "")
            self.formula = self.in_value = False
            self.text = ""
        elif local in ("v", "t"):
            self.in_value = True
        elif local == "f":
            self.formula = True
        elif local == "row":
            number = attributes.get("r", "")
            self.row = int(number) - 1 if number.isdigit() else self.row + 1
            self.column = -1
            if attributes.get("hidden") in ("1", "true"):
                self.hidden.add(self.row)

    def data(self, text: str) -> None:
        if self.in_value:
            self.text += text

    def end(self, tag: str) -> None:
        local = _local(tag)
        if local in ("v", "t"):
            self.in_value = False
        elif local == "c":
            at = (self.row, self.column)
            if self.kind == "e":
                self.errors[at] = self.text.strip() or "#N/A"
            elif self.formula and not self.text and self.kind != "str":
                self.without_value.add(at)
            elif self.kind == "n" and self.style in self.codes and self.column in self.padded:
                self.formats[at] = self.codes[self.style]

    def _place(self, reference: str) -> None:
        letters = reference.rstrip("0123456789")
        if not letters:
            self.column += 1
            return
        self.column = _column(letters)
        if digits := reference[len(letters) :]:
            self.row = int(digits) - 1


def full_scan(data: bytes, codes: dict[str, str], padded: Collection[int]) -> Details:
    """The details of any sheet part, element by element."""
    scan = _Scan(codes, padded)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = scan.start
    parser.EndElementHandler = scan.end
    parser.CharacterDataHandler = scan.data
    parser.Parse(data, True)
    return Details(
        errors=scan.errors,
        without_value=frozenset(scan.without_value),
        formats=scan.formats,
        hidden_rows=frozenset(scan.hidden),
    )


# --- the usual sheet, ten times faster -----------------------------------------------------------------

_AT = rb"""<c r=["']([A-Z]{1,3})([0-9]{1,7})["']"""
_FORMULA = rb"(?:<f[^>]*/>|<f(?:\s[^>]*)?>[^<]*</f>)"
_ERROR_CELL = re.compile(
    _AT + rb"""[^>]*?\st=["']e["'](?:[^>]*/>|[^>]*>\s*""" + _FORMULA + rb"""?\s*(?:<v>([^<]*)</v>)?)"""
)
_EMPTY_FORMULA = re.compile(_AT + rb"([^>]*)>\s*" + _FORMULA + rb"\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_WITH_TEXT = re.compile(rb"""\st=["'](?:str|e)["']""")
_HIDDEN_ROW = re.compile(rb"""<row r=["']([0-9]{1,7})["'][^>]*?\shidden=["'](?:1|true)["']""")
# Tags that begin otherwise than every usual writer begins them.
_UNUSUAL = re.compile(rb"""<c[^ oe-z]|<c (?!r=["'][A-Z])|<row[^ B]|<row (?!r=)|<!""")


def quick_scan(data: bytes, codes: dict[str, str], padded: Collection[int]) -> Details | None:
    """The details of a sheet that is written as all usual programs do; None for any other."""
    if b"<sheetData" not in data or _UNUSUAL.search(data):
        return None
    errors, empty, shown = {}, set(), {}
    if b't="e"' in data or b"t='e'" in data:
        for letters, digits, text in _ERROR_CELL.findall(data):
            errors[_place(letters, digits)] = text.decode("utf-8", "replace").strip() or "#N/A"
    if b"<f" in data:
        for letters, digits, attributes in _EMPTY_FORMULA.findall(data):
            if not _WITH_TEXT.search(attributes):
                empty.add(_place(letters, digits))
    if codes and padded:
        for letters, digits, before, style, after in _padded_cell(codes, padded).findall(data):
            if b"t=" not in before + after or b't="n"' in before + after:
                shown[_place(letters, digits)] = codes[style.decode()]
    hidden = frozenset(int(digits) - 1 for digits in _HIDDEN_ROW.findall(data)) if b"hidden=" in data else ()
    formats = {at: code for at, code in shown.items() if at not in empty}
    return Details(errors, frozenset(empty), formats, frozenset(hidden))


def _padded_cell(codes: Collection[str], padded: Collection[int]) -> re.Pattern[bytes]:
    letters = "|".join(letter(column) for column in padded)
    styles = "|".join(map(re.escape, codes))
    return re.compile(
        rf"""<c r=["']({letters})([0-9]{{1,7}})["']([^>]*?)\ss=["']({styles})["']([^>]*)>""".encode()
    )


def _place(letters: bytes, digits: bytes) -> tuple[int, int]:
    return int(digits) - 1, _column(letters.decode())


_column = lru_cache(maxsize=1024)(column_of)
