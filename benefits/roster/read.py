"""Turn a guarded file into raw rows. One reader for preview and apply alike; nothing is interpreted here."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from . import ods
from .parts import LIMITS
from .shapes import Book, Cell, Container, Range, Rejected, Row, Sheet

DELIMITERS = (",", "\t", ";", "|")
_CELL_CHARS = 32_767  # as Excel itself
_TRICK = re.compile(r'="(.*)"', re.S)
_BINARY = re.compile(r"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
_BLANK: Row = []
_ERROR_VALUE = re.compile(rb"(?<=<v>)#[A-Z0-9_/]{2,20}[!?]?(?=</v>)")


def read(path: Path, container: Container) -> Book:
    """Read every visible sheet, or the one table of a text file."""
    if container.kind == "text":
        return _read_text(path)
    try:
        try:
            return _read_workbook(path, container, CalamineWorkbook.from_path(path))
        except CalamineError as error:
            if container.kind != "xlsx" or "cell error value" not in str(error):
                raise
            known = CalamineWorkbook.from_filelike(_with_known_errors(path))
            return _read_workbook(path, container, known)
    except PasswordError as error:
        raise Rejected("encrypted", "password") from error
    except (CalamineError, ValueError, OverflowError, OSError) as error:
        raise Rejected("corrupt", type(error).__name__) from error


def _with_known_errors(path: Path) -> io.BytesIO:
    """The package with error values that our reader does not know (#SPILL!, #CALC!) turned into one that it does.

    Which error it was is told by details.py, from the file itself.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for member in source.infolist():
            if member.filename.lower().endswith((".xml", ".rels")):
                target.writestr(member.filename, _ERROR_VALUE.sub(b"#N/A", source.read(member)))
    out.seek(0)
    return out


def _read_workbook(path: Path, container: Container, opened: CalamineWorkbook) -> Book:
    sheets = []
    cells = 0
    layouts = ods.layouts(path) if container.kind == "ods" else {}
    with opened as workbook:
        for meta in workbook.sheets_metadata:
            if meta.visible != SheetVisibleEnum.Visible or meta.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = workbook.get_sheet_by_name(meta.name)
            rows = _rows_of(sheet)
            cells += sum(map(len, rows))
            layout = layouts.get(meta.name)
            hidden = frozenset(layout.hidden) if layout else frozenset()
            sheets.append(Sheet(meta.name, rows, _merges_of(sheet, layout), hidden))
    if not cells:
        raise Rejected("empty_file")
    return Book(kind=container.kind, sheets=tuple(sheets))


def _rows_of(sheet: CalamineSheet) -> list[Row]:
    """All rows from Excel's row 1 on, the blank ones at the end dropped."""
    start, end = sheet.start, sheet.end
    if start is None or end is None:
        return []
    if (end[0] + 1) * (end[1] + 1) > LIMITS.area:
        raise Rejected("too_large", "far_cell")
    rows: list[Row] = []
    filled = 0
    for row in sheet.to_python(skip_empty_area=False):
        if row[0] == "" and row.count("") == len(row):
            rows.append(_BLANK)
            continue
        rows.append(row)  # type: ignore[arg-type]
        filled += 1
    if filled > LIMITS.rows:
        raise Rejected("too_large", "rows", rows=LIMITS.rows)
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _merges_of(sheet: CalamineSheet, layout: ods.Layout | None) -> tuple[Range, ...]:
    if layout is not None:
        return tuple(layout.merges)
    found = sheet.merged_cell_ranges or []
    if len(found) > LIMITS.merges:
        raise Rejected("too_large", "merges")
    return tuple(Range(top, left, bottom, right) for (top, left), (bottom, right) in found)


# --- text --------------------------------------------------------------------------------------------


def _read_text(path: Path) -> Book:
    text, encoding = decode(path.read_bytes())
    if not text.strip():
        raise Rejected("empty_file")
    if _BINARY.search(text):
        raise Rejected("unsupported_format")
    # Every likely delimiter is one way to see the table; recognition picks the one that has a header.
    sheets = tuple(
        Sheet(name=None, rows=rows)
        for delimiter in _delimiters(text)
        if (rows := list(_records(text, delimiter)))
    )
    return Book(kind="text", sheets=sheets, encoding=encoding)


def decode(data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding: a BOM decides, then strict UTF-8, then GB18030."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            attempts = [encoding]
            break
    else:
        attempts = ["utf-8", "gb18030"]
        head = data[:400]
        if head.count(b"\0") * 6 > len(head):
            is_little = head[1::2].count(0) > head[::2].count(0)
            attempts = ["utf-16-le" if is_little else "utf-16-be"]
    for encoding in attempts:
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise Rejected("unsupported_format", "text_encoding")


def _delimiters(text: str) -> list[str]:
    """The delimiters worth trying, the commonest in the first lines first."""
    head = text[:20_000]
    if told := re.match(r"sep=(.)\r?\n", head):
        return [told[1]]
    present = [mark for mark in DELIMITERS if mark in head]
    return sorted(present, key=head.count, reverse=True) or [","]


def _records(text: str, delimiter: str) -> Iterator[Row]:
    """Records as Excel sees them: a quoted line break is inside one, a blank line is one."""
    csv.field_size_limit(1 << 24)
    count = 0
    lines = _lines(text)
    for record in csv.reader(lines, delimiter=delimiter):
        count += 1
        if count > LIMITS.rows:
            raise Rejected("too_large", "rows", rows=LIMITS.rows)
        if not any(record):
            yield _BLANK
            continue
        if len(record) > LIMITS.columns:
            raise Rejected("too_large", "columns", row=count)
        if max(map(len, record)) > _CELL_CHARS:
            # Mostly a quotation mark that was never closed: it swallows the rows after it.
            raise Rejected("corrupt", "long_cell", row=count)
        yield [_untrick(cell) for cell in record]
    if _is_open(text, delimiter):
        raise Rejected("corrupt", "open_quote", row=count)


def _lines(text: str) -> Iterable[str]:
    """Line ends are \\n, \\r\\n and \\r only; str.splitlines would also split at U+2028 and the like."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def _is_open(text: str, delimiter: str) -> bool:
    """Whether the last record ends inside a quotation: rows were swallowed, so nothing may be applied."""
    tail = text[-200_000:]
    if tail.count('"') % 2 == 0:
        return False
    try:
        for _record in csv.reader(_lines(text), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "end of data" in str(error)
    return False


def _untrick(cell: str) -> Cell:
    """Undo what people do to keep Excel from changing a number: ="00123", a leading ', a tab."""
    if not cell or (cell[0] not in "=\t'" and cell[-1] != "\t"):
        return cell
    cell = cell.strip("\t")
    if whole := _TRICK.fullmatch(cell):
        return whole[1].replace('""', '"')
    return cell.removeprefix("'")
