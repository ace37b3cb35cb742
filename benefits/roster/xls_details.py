"""What the fast reader does not tell of an old .xls sheet: number formats, error cells, hidden rows, 1904."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from . import formats
from .ole import CompoundFile
from .shapes import Details, Rejected

_BOF, _EOF, _BOUNDSHEET, _DATEMODE, _FILEPASS = 0x809, 0x0A, 0x85, 0x22, 0x2F
_FORMAT, _XF, _ROW, _NUMBER, _RK, _MULRK = 0x41E, 0xE0, 0x208, 0x203, 0x27E, 0xBD
_BOOLERR, _FORMULA = 0x205, 0x06
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}


def details(path: Path, sheet: str) -> Details:
    """The details of one sheet of a BIFF8 workbook; an older one has none to give."""
    stream = CompoundFile(path.read_bytes()).stream("Workbook", "Book")
    try:
        return _of_stream(stream, sheet)
    except (struct.error, IndexError, ValueError) as error:
        raise Rejected("corrupt", "biff") from error


def _records(stream: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """Records from an offset to the end of that substream, nested ones (charts) left out."""
    depth = 0
    while offset + 4 <= len(stream):
        number, length = struct.unpack_from("<HH", stream, offset)
        body = stream[offset + 4 : offset + 4 + length]
        offset += 4 + length
        if number == _BOF:
            depth += 1
        elif number == _EOF:
            depth -= 1
            if depth <= 0:
                return
        elif depth <= 1:
            yield number, body


def _of_stream(stream: bytes, sheet: str) -> Details:
    if stream[:2] != b"\x09\x08" or stream[4:6] != b"\x00\x06":
        return Details()
    codes: dict[int, str] = {}
    styles: list[int] = []
    start: int | None = None
    date1904 = False
    for number, body in _records(stream, 0):
        if number == _FILEPASS:
            raise Rejected("encrypted", "password")
        if number == _DATEMODE:
            date1904 = body[:1] == b"\x01"
        elif number == _FORMAT:
            codes[struct.unpack_from("<H", body)[0]] = _string(body[2:], "<H")
        elif number == _XF:
            styles.append(struct.unpack_from("<H", body, 2)[0])
        elif number == _BOUNDSHEET and _string(body[6:], "<B") == sheet:
            start = struct.unpack_from("<I", body)[0]
    padding = {i: codes[f] for i, f in enumerate(styles) if f in codes and formats.pads(codes[f])}
    if start is None:
        return Details(date1904=date1904)
    return _of_sheet(stream, start, padding, date1904)


def _of_sheet(stream: bytes, start: int, padding: dict[int, str], date1904: bool) -> Details:
    errors: dict[tuple[int, int], str] = {}
    found: dict[tuple[int, int], str] = {}
    hidden: set[int] = set()
    for number, body in _records(stream, start):
        if number in (_NUMBER, _RK, _FORMULA, _BOOLERR):
            row, column, style = struct.unpack_from("<HHH", body)
            if number == _BOOLERR and body[7]:
                errors[row, column] = _ERRORS.get(body[6], "#N/A")
            elif number == _FORMULA and body[12:14] == b"\xff\xff" and body[6] == 2:
                errors[row, column] = _ERRORS.get(body[8], "#N/A")
            elif style in padding:
                found[row, column] = padding[style]
        elif number == _MULRK:
            row, first = struct.unpack_from("<HH", body)
            for index in range((len(body) - 6) // 6):
                style = struct.unpack_from("<H", body, 4 + index * 6)[0]
                if style in padding:
                    found[row, first + index] = padding[style]
        elif number == _ROW and struct.unpack_from("<H", body, 12)[0] & 0x20:
            hidden.add(struct.unpack_from("<H", body)[0])
    return Details(errors=errors, formats=found, hidden_rows=frozenset(hidden), date1904=date1904)


def _string(body: bytes, length_format: str) -> str:
    """A BIFF8 string: its length, a flag for two-byte characters, the characters."""
    (length,) = struct.unpack_from(length_format, body)
    at = struct.calcsize(length_format)
    if body[at] & 1:
        return body[at + 1 : at + 1 + 2 * length].decode("utf-16-le", "replace")
    return body[at + 1 : at + 1 + length].decode("latin-1")
