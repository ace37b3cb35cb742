"""Find the table in a book: which sheet, where its header is, which column is which."""

from __future__ import annotations

from collections.abc import Sequence

from . import fields
from .shapes import Book, Header, Range, Rejected, Row, Sheet, Table

HEADER_WITHIN = 50  # rows searched from the top
_SIDE_SHEETS = ("离职", "历史", "备份", "说明")


def recognise(book: Book) -> Table:
    """The best table of the book. Raises Rejected where no visible sheet has a header."""
    found = [(sheet, header) for sheet in book.sheets if (header := find_header(sheet)) is not None]
    if not found:
        raise Rejected("no_header")
    sheet, header = max(found, key=lambda pair: _rank(*pair))
    others = tuple(other.name for other, _ in found if other is not sheet and other.name)
    return Table(sheet=sheet, header=header, other_sheets=others)


def _rank(sheet: Sheet, header: Header) -> tuple[bool, int, int]:
    """A main sheet before a side sheet, then the one with most rows, then the one with most columns known."""
    is_main = not any(word in (sheet.name or "") for word in _SIDE_SHEETS)
    rows = sum(1 for row in sheet.rows[header.last_row :] if row)
    return is_main, rows, len(header.columns)


def find_header(sheet: Sheet) -> Header | None:
    """The first row, or two rows joined, that names a name and an employee number or a mobile."""
    for index, row in enumerate(sheet.rows[:HEADER_WITHIN]):
        if not row:
            continue
        joined = _joined_header(sheet, index)
        if joined is not None:
            return joined
        plain = _header([("", heading) for heading in _headings(row)], index + 1)
        if plain is not None:
            return plain
    return None


def _headings(row: Row) -> list[str]:
    return [cell if isinstance(cell, str) else "" for cell in row]


def _header(headings: Sequence[tuple[str, str]], last_row: int) -> Header | None:
    """Map (group, heading) pairs to fields, or None where they do not make a header."""
    candidates: dict[str, list[tuple[bool, int, int]]] = {}
    levels: dict[int, int] = {}
    ignored: dict[int, str] = {}
    for column, (group, heading) in enumerate(headings):
        if not heading.strip():
            continue
        ignored[column] = " ".join(heading.split())
        field = _field_of(fields.fold(group), fields.fold(heading))
        if field is None:
            continue
        name, rank = field
        if name.startswith("department:"):
            levels.setdefault(int(name[11:]), column)
        else:
            candidates.setdefault(name, []).append((bool(group), rank, column))
    columns: dict[str, tuple[int, ...]] = {}
    doubled: dict[int, str] = {}
    for name, found in candidates.items():
        found.sort()
        columns[name] = (found[0][2],)
        doubled |= {column: ignored[column] for _, _, column in found[1:]}
    if len(levels) > 1 or (levels and "department" not in columns):
        columns["department"] = tuple(column for _, column in sorted(levels.items()))
    if "name" not in columns or not ("employee_no" in columns or "mobile" in columns):
        return None
    used = {column for chosen in columns.values() for column in chosen}
    return Header(
        last_row=last_row,
        columns=columns,
        ignored=tuple((c, text) for c, text in ignored.items() if c not in used and c not in doubled),
        doubled=tuple(doubled.items()),
    )


def _field_of(group: str, heading: str) -> tuple[str, int] | None:
    """What a heading means under its group: 紧急联系人 keeps its 姓名, 部门 makes 一级 a level."""
    if not group:
        return fields.named(heading)
    if fields.owns_others(group):
        return None
    return fields.named(heading) or fields.named(heading + group)


def _joined_header(sheet: Sheet, index: int) -> Header | None:
    """Two rows read as one header, where merges (or blanks where merges were lost) join them."""
    if index + 1 >= len(sheet.rows) or not sheet.rows[index + 1]:
        return None
    upper, lower = _headings(sheet.rows[index]), _headings(sheet.rows[index + 1])
    if any(not isinstance(cell, str) for cell in sheet.rows[index + 1]):
        return None
    width = max(len(upper), len(lower))
    upper += [""] * (width - len(upper))
    lower += [""] * (width - len(lower))
    groups = _groups(sheet.merges, index, upper, lower)
    if groups is None:
        return None
    pairs = [
        (groups[column], lower[column]) if lower[column].strip() else ("", groups[column])
        for column in range(width)
    ]
    return _header(pairs, index + 2)


def _groups(merges: Sequence[Range], index: int, upper: list[str], lower: list[str]) -> list[str] | None:
    """The upper heading that covers each column, or None where the two rows do not belong together."""
    groups = list(upper)
    down = across = 0
    for merge in merges:
        if merge.top != index or merge.left >= len(upper):
            continue
        if merge.bottom == index + 1:
            down += 1
        elif merge.bottom == index and _is_group(merge, upper, lower):
            across += 1
        right = min(merge.right, len(upper) - 1)
        groups[merge.left : right + 1] = [upper[merge.left]] * (right + 1 - merge.left)
    if across and (down or _reads_as_header(lower)):
        return groups
    if down and _reads_as_header(lower):
        return groups
    return None if merges else _groups_without_merges(upper, lower)


def _is_group(merge: Range, upper: list[str], lower: list[str]) -> bool:
    """A group covers some columns and has headings below; a title stands alone in its row."""
    others = sum(1 for column, text in enumerate(upper) if text.strip() and column != merge.left)
    return others > 0 and any(text.strip() for text in lower[merge.left : merge.right + 1])


def _reads_as_header(lower: list[str]) -> bool:
    return any(fields.named(fields.fold(text)) for text in lower if text.strip())


def _groups_without_merges(upper: list[str], lower: list[str]) -> list[str] | None:
    """A text file has lost its merges: a group is then a heading followed by blanks over two headings or more."""
    groups = list(upper)
    found = 0
    for column in range(1, len(upper)):
        if not upper[column].strip() and lower[column].strip() and groups[column - 1].strip():
            if not lower[column - 1].strip():
                return None
            groups[column] = groups[column - 1]
            found += 1
    alone = [c for c in range(len(upper)) if upper[c].strip() and not lower[c].strip()]
    names = [fields.named(fields.fold(text)) for text in lower if text.strip()]
    is_header = len([n for n in names if n]) * 2 >= len(names)
    return groups if found and alone and is_header else None
