"""What a file offers people to choose from: its sheets and their first rows, its columns with samples."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rapidfuzz import fuzz, process

from . import fields, normalise, seen
from .recognise import Surveyed, rows_below, visible
from .shapes import Cell, Column, Header, Problem, Sheet, SheetFound, Table, letter

LIKE = 85  # of 100, from which on a heading or a column's cells resemble a field
_TOP_ROWS, _TOP_COLUMNS, _SAMPLES, _LOOKED_AT, _COLUMNS, _SHEETS = 15, 30, 3, 200, 200, 50
_LEAST = 3  # cells, before their content says anything
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
    "陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤欧"
)


def sheets(surveyed: Sequence[Surveyed]) -> tuple[SheetFound, ...]:
    """The visible sheets that hold anything; of a text file the one table."""
    found = [s for s in surveyed if s.sheet.rows][:_SHEETS]
    if found and found[0].sheet.name is None:
        found = [next((s for s in found if s.header), found[0])]
    return tuple(
        SheetFound(
            name=None if s.sheet.name is None else visible(s.sheet.name),
            rows=rows_below(s.sheet, s.header),
            header_row=s.header.last_row if s.header else None,
            top=_top(s.sheet),
        )
        for s in found
    )


def _top(sheet: Sheet) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(seen.sample, row[:_TOP_COLUMNS])) for row in sheet.rows[:_TOP_ROWS])


def columns(table: Table) -> tuple[Column, ...]:
    """Every column of the table with a heading or a cell, and what it was taken for."""
    header = table.header
    below = [row for row in table.sheet.rows[header.last_row :] if row][:_LOOKED_AT]
    width = max([len(row) for row in below] + [max(header.headings, default=-1) + 1, 0])
    field_of = {place: name for name, places in header.columns.items() for place in places}
    free = [field for field in fields.FIELDS if field.name not in header.columns]
    found = []
    for place in range(width):
        cells = [row[place] for row in below if place < len(row) and not _is_blank(row[place])]
        heading = header.headings.get(place, "")
        if cells or heading:
            found.append(_column(place, heading, cells, field_of.get(place), header, free))
    return tuple(found[:_COLUMNS])


def _column(
    place: int, heading: str, cells: list[Cell], name: str | None, header: Header, free: list[fields.Field]
) -> Column:
    suggestion, likeness = (None, 0) if name else _suggestion(heading, cells, free)
    is_private = name == "id_number" or suggestion == "id_number" or bool(_PRIVATE.search(heading))
    return Column(
        letter=letter(place),
        heading=seen.masked(visible(heading))[:200],
        samples=tuple(_samples(cells, is_private)),
        field=name,
        source=header.sources.get(place, ""),
        suggestion=suggestion,
        likeness=likeness,
    )


_PRIVATE = re.compile("身份证|证件|护照|银行|卡号|账号|账户|passport|bank", re.I)


def _is_blank(cell: Cell) -> bool:
    return type(cell) is str and not cell.strip()


def _samples(cells: list[Cell], is_private: bool) -> Iterator[str]:
    shown: set[str] = set()
    for cell in cells:
        text = seen.hidden(seen.text(cell, 40)) if is_private else seen.sample(cell)
        if text and text not in shown:
            shown.add(text)
            yield text
        if len(shown) == _SAMPLES:
            return


# --- suggestions ---------------------------------------------------------------------------------------


def _suggestion(heading: str, cells: list[Cell], free: list[fields.Field]) -> tuple[str | None, int]:
    """A field that no column has yet and that this one resembles, by its heading or else by its cells."""
    folded = fields.fold(heading)
    if fields.owns_others(folded) or fields.is_known_other(folded):
        return None, 0
    if folded:
        spelled = {fields.fold(s): field.name for field in free for s in field.spellings}
        best = process.extractOne(folded, spelled.keys(), scorer=fuzz.ratio, score_cutoff=LIKE)
        if best:
            return spelled[best[0]], round(best[1])
    if len(cells) < _LEAST:
        return None, 0
    names = {field.name for field in free}
    for name, fits in _CONTENT:
        if name in names:
            share = round(100 * sum(map(fits, cells)) / len(cells))
            if share >= LIKE:
                return name, share
    return None, 0


def _reads(name: str) -> Callable[[Cell], bool]:
    def fits(cell: Cell) -> bool:
        value = normalise.attempt(fields.BY_NAME[name].read, cell)
        return value is not None and not isinstance(value, Problem)

    return fits


def _is_han_name(cell: Cell) -> bool:
    return type(cell) is str and bool(_HAN_NAME.fullmatch(cell.strip())) and cell.strip()[0] in _SURNAMES


_HAN_NAME = re.compile("[\u4e00-\u9fff]{2,4}")
_NUMBER = re.compile(r"[A-Za-z]{1,4}-?[0-9]{1,10}|0[0-9]{2,10}")


def _is_staff_number(cell: Cell) -> bool:
    return type(cell) is str and bool(_NUMBER.fullmatch(cell.strip()))


# What cells alone can tell; the order decides where two fit.
_CONTENT: tuple[tuple[str, Callable[[Cell], bool]], ...] = (
    ("mobile", _reads("mobile")),
    ("email", _reads("email")),
    ("id_number", _reads("id_number")),
    ("status", _reads("status")),
    ("name", _is_han_name),
    ("employee_no", _is_staff_number),
)
