"""Workbooks and packages made for one test, honest and hostile."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter

HEADER = ["工号", "姓名", "手机号", "部门", "邮箱", "入职日期", "积分", "在职状态"]


def workbook(path: Path, rows: Sequence[Sequence[Any]], *, sheet: str = "Sheet1") -> Path:
    """An .xlsx with these cells; None is blank."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": datetime(2026, 1, 1)})  # the same cells are the same bytes
    page = book.add_worksheet(sheet)
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if value is None:
                continue
            page.write_string(r, c, value) if isinstance(value, str) else page.write(r, c, value)
    book.close()
    return path


def roster(path: Path, *people: Sequence[Any]) -> Path:
    """An .xlsx with the usual header over these people."""
    return workbook(path, [HEADER, *people])


_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/{{kind}}" Target="{{target}}"/></Relationships>'
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_BOOK = f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'


def package(path: Path, sheet: bytes | str, macros: bool = False, **more: bytes | str) -> Path:
    """A minimal .xlsx around a raw sheet part; `more` are further parts, `__` in a name is `/`."""
    types = _TYPES
    if macros:
        types = types.replace(
            "openxmlformats-officedocument.spreadsheetml.sheet", "ms-excel.sheet.macroEnabled"
        )
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": types,
        "_rels/.rels": _RELS.format(kind="officeDocument", target="xl/workbook.xml"),
        "xl/workbook.xml": _BOOK,
        "xl/_rels/workbook.xml.rels": _RELS.format(kind="worksheet", target="worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": sheet,
    }
    parts |= {name.replace("__", "/") + ".xml": data for name, data in more.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in parts.items():
            target.writestr(name, data)
        if macros:
            target.writestr("xl/vbaProject.bin", compound("VBA"))
    return path


def sheet(*rows: str, before: str = "", after: str = "") -> str:
    """A sheet part around raw rows."""
    return f'{before}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(rows)}</sheetData>{after}</worksheet>'


def row(number: int, *cells: str) -> str:
    """A raw row of inline strings in columns A, B, C…"""
    texts = (
        f'<c r="{chr(65 + i)}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
        for i, text in enumerate(cells)
    )
    return f'<row r="{number}">{"".join(texts)}</row>'


HONEST = (row(1, "工号", "姓名", "手机号"), row(2, "A1", "王伟", "13800138000"))


def compound(*streams: str) -> bytes:
    """The skeleton of a compound file with these (empty) streams."""
    out = io.BytesIO()
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    header[24:34] = b"\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00"
    header[44:52] = b"\x01\x00\x00\x00\x01\x00\x00\x00"
    header[56:60] = b"\x00\x10\x00\x00"
    header[60:76] = b"\xfe\xff\xff\xff\x00\x00\x00\x00\xfe\xff\xff\xff\x00\x00\x00\x00"
    header[76:80] = b"\x00\x00\x00\x00"
    header[80:512] = b"\xff" * 432
    out.write(header)
    out.write(b"\xfd\xff\xff\xff\xfe\xff\xff\xff" + b"\xff" * 504)
    for name in ("Root Entry", *streams):
        entry = bytearray(128)
        encoded = name.encode("utf-16-le")
        entry[: len(encoded)] = encoded
        entry[64] = len(encoded) + 2
        entry[66] = 5 if name == "Root Entry" else 2
        entry[116:120] = b"\xfe\xff\xff\xff"
        out.write(entry)
    return out.getvalue().ljust(1536, b"\0")


_ODS = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
    '<office:body><office:spreadsheet><table:table table:name="Sheet1">{}</table:table>'
    "</office:spreadsheet></office:body></office:document-content>"
)
_ODS_KIND = "application/vnd.oasis.opendocument.spreadsheet"


def ods(
    path: Path,
    rows: Sequence[Sequence[Any]],
    *,
    merges: Sequence[tuple[int, int, int, int]] = (),
    hidden: Sequence[int] = (),
    raw: str | None = None,
) -> Path:
    """An .ods with these cells. Merges are (top, left, bottom, right), hidden rows counted, from 0."""
    starts = {(top, left): (bottom - top + 1, right - left + 1) for top, left, bottom, right in merges}
    lines = []
    for r, row in enumerate(rows):
        cells = "".join(_ods_cell(value, starts.get((r, c))) for c, value in enumerate(row))
        visibility = ' table:visibility="filter"' if r in hidden else ""
        lines.append(f"<table:table-row{visibility}>{cells}</table:table-row>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("mimetype", _ODS_KIND, zipfile.ZIP_STORED)
        target.writestr("content.xml", raw or _ODS.format("".join(lines)))
        target.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_KIND}"/></manifest:manifest>',
        )
    return path


def _ods_cell(value: Any, span: tuple[int, int] | None) -> str:
    spanned = (
        f' table:number-rows-spanned="{span[0]}" table:number-columns-spanned="{span[1]}"' if span else ""
    )
    if value is None:
        return f"<table:table-cell{spanned}/>"
    if isinstance(value, datetime | date):
        day = value.isoformat()
        return f'<table:table-cell{spanned} office:value-type="date" office:date-value="{day}"><text:p>{day}</text:p></table:table-cell>'
    if isinstance(value, int | float):
        return f'<table:table-cell{spanned} office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'
    return f'<table:table-cell{spanned} office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'
