"""The user's own workbook with the problem cells coloured and commented. Runs in the sandbox's child."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import range_boundaries

_COLOURS = {"error": "FFFFC7CE", "warning": "FFFFEB9C"}


def write(path: Path, target: Path, marks: list[dict[str, Any]], sheet: str) -> None:
    """Mark cells and save under another name. Values only: no formula leaves here, the user's own neither."""
    with path.open("rb") as file:  # a path would be judged by its extension
        workbook = openpyxl.load_workbook(file, data_only=True, keep_links=False)
    page = workbook[sheet]
    merged = [range_boundaries(str(block)) for block in page.merged_cells.ranges]
    for mark in marks:
        cell = page[f"{mark['column']}{mark['row']}"]
        if isinstance(cell, MergedCell):
            cell = _owner(page, merged, cell) or page.cell(mark["row"], 1)
        if isinstance(cell, MergedCell):
            continue
        cell.fill = PatternFill("solid", fgColor=_COLOURS[mark["severity"]])
        text = f"{cell.comment.text}\n{mark['text']}" if cell.comment else mark["text"]
        cell.comment = Comment(text, "", width=320, height=90)
    for page in workbook.worksheets:
        for row in page.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value[:1] in "=+-@":
                    cell.data_type = "s"
                    cell.quotePrefix = True
    workbook.active = workbook.sheetnames.index(sheet)
    workbook.save(target)


def _owner(page: Any, merged: list[Any], cell: MergedCell) -> Cell | None:
    for left, top, right, bottom in merged:
        if left <= cell.column <= right and top <= cell.row <= bottom:
            found = page.cell(top, left)
            return found if isinstance(found, Cell) else None
    return None
