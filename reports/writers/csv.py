"""CSV for Excel in China: UTF-8 with a byte order mark, no cell that a spreadsheet would run as a formula."""

import csv
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from benefits import money
from reports.tables import CHINA, Column, Kind, Table, cleaned

CONTENT_TYPE = "text/csv; charset=utf-8"
# The full-width signs too: Excel folds them to the plain ones when it opens a file.
_FORMULA_STARTS = tuple("=+-@\t\r\n|%＝＋－＠")


def write(table: Table) -> bytes:
    """The table without its facts and sums, so that the file is one heading and its rows."""
    return b"".join(lines(table))


def lines(table: Table) -> Iterator[bytes]:
    """The same, line by line, for streaming."""
    writer = csv.writer(_Echo(), lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    yield b"\xef\xbb\xbf" + _encoded(writer.writerow([safe(column.title) for column in table.columns]))
    for values in table.rows:
        yield _encoded(
            writer.writerow(
                [_cell(column, value) for column, value in zip(table.columns, values, strict=True)]
            )
        )


def safe(text: object) -> str:
    """Text that stays text: what a spreadsheet might run is led by an apostrophe."""
    kept = cleaned(text)
    return "'" + kept if kept.lstrip(" ").startswith(_FORMULA_STARTS) else kept


def _cell(column: Column, value: object) -> str:
    match column.kind, value:
        case _, None | "":
            return ""
        case Kind.FEN, int():
            return money.yuan(value)
        case Kind.RATE, int():
            return f"{Decimal(value).scaleb(-2).normalize():f}%"
        case Kind.COUNT, int():
            return str(value)
        case Kind.TIME, datetime():
            return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
        case Kind.DATE, date():
            return value.isoformat()
        case Kind.TEXT, _:
            return safe(value)
        case _:
            raise TypeError(
                f"{column.title}: {column.kind.value} cannot be written from {type(value).__name__}"
            )


def _encoded(line: object) -> bytes:
    return str(line).encode("utf-8", "replace")


class _Echo:
    """A file that hands back what is written, so that csv can be used as a generator."""

    def write(self, text: str) -> str:
        return text
