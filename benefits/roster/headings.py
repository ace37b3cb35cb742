"""One header: which rows make it, what each column is called, and which field that names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import fields
from .shapes import Header, Range, Row, Sheet

MOST_ROWS = 3  # that are joined to one header
_TAUGHT = -1  # goes before the most telling spelling of our own

Heading = tuple[tuple[str, ...], str]  # the groups above it, the text itself


def beginning_at(sheet: Sheet, index: int, spellings: Mapping[str, str]) -> Header | None:
    """The complete header whose first row this is: as many joined rows as belong together, or the row alone."""
    joined = _joined(sheet, index)
    if len(joined) > 1:
        found = _header(_stacked(joined), index + len(joined), spellings)
        if found.is_complete:
            return found
    plain = _header([((), text) for text in _texts(sheet.rows[index])], index + 1, spellings)
    return plain if plain.is_complete else None


def at(sheet: Sheet, last_row: int, spellings: Mapping[str, str]) -> Header:
    """The header that ends in this row (from 1), as far as anything of it is known."""
    plain = _header([((), text) for text in _texts(sheet.rows[last_row - 1])], last_row, spellings)
    best = plain
    for first in range(max(0, last_row - MOST_ROWS), last_row - 1):
        joined = _joined(sheet, first, upto=last_row) if sheet.rows[first] else []
        if first + len(joined) == last_row:
            found = _header(_stacked(joined), last_row, spellings)
            best = max(best, found, key=lambda h: (h.is_complete, len(h.columns)))
    return best


def _texts(row: Row) -> list[str]:
    return [cell if isinstance(cell, str) else "" for cell in row]


# --- which rows belong together ------------------------------------------------------------------------


def _joined(sheet: Sheet, first: int, *, upto: int | None = None) -> list[list[str]]:
    """The rows from `first` on that read as one header, each with its groups spread over their columns."""
    last = min(len(sheet.rows), first + MOST_ROWS, upto or len(sheet.rows))
    rows = [_texts(sheet.rows[first])]
    for index in range(first, last - 1):
        below = sheet.rows[index + 1]
        if not below or any(not isinstance(cell, str) for cell in below):
            break
        upper, lower = rows[-1], _texts(below)
        width = max(len(upper), len(lower))
        upper += [""] * (width - len(upper))
        lower += [""] * (width - len(lower))
        groups = _groups(sheet.merges, first, index, upper, lower)
        if groups is None:
            break
        rows[-1] = groups
        rows.append(lower)
    return rows


def _stacked(rows: list[list[str]]) -> list[Heading]:
    """Each column's own heading, the lowest text in it, with the groups above."""
    width = max(map(len, rows))
    found: list[Heading] = []
    for column in range(width):
        texts = [row[column] for row in rows if column < len(row) and row[column].strip()]
        found.append((tuple(texts[:-1]), texts[-1]) if texts else ((), ""))
    return found


def _groups(
    merges: Sequence[Range], first: int, index: int, upper: list[str], lower: list[str]
) -> list[str] | None:
    """The upper heading that covers each column, or None where the two rows do not belong together."""
    groups = list(upper)
    down = across = 0
    for merge in merges:
        if not first <= merge.top <= index or merge.left >= len(upper):
            continue
        if merge.bottom > index:
            down += 1
        elif merge.top == index and _is_group(merge, upper, lower):
            across += 1
        if merge.top == index:
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


# --- what the columns mean -----------------------------------------------------------------------------


def _header(headings: Sequence[Heading], last_row: int, spellings: Mapping[str, str]) -> Header:
    """Map headings to fields. Of several columns for one field, the taught and the most telling one wins."""
    candidates: dict[str, list[tuple[int, bool, int]]] = {}
    levels: dict[int, int] = {}
    texts: dict[int, str] = {}
    for column, (groups, heading) in enumerate(headings):
        if not heading.strip():
            continue
        texts[column] = _shown(groups, heading)
        name, rank = _field_of(groups, heading, spellings)
        if name.startswith("department:"):
            levels.setdefault(int(name[11:]), column)
        elif name:
            candidates.setdefault(name, []).append((rank, bool(groups), column))
    columns: dict[str, tuple[int, ...]] = {}
    doubled: dict[int, str] = {}
    sources: dict[int, str] = {}
    for name, found in candidates.items():
        found.sort(key=lambda one: (one[0] != _TAUGHT, one[1], one[0], one[2]))
        taught = tuple(sorted(column for rank, _, column in found if rank == _TAUGHT))
        columns[name] = taught if name == "department" and taught else (found[0][2],)
        doubled |= {column: texts[column] for _, _, column in found if column not in columns[name]}
        sources |= dict.fromkeys(columns[name], "taught" if taught else "spelling")
    if "taught" not in {sources[c] for c in columns.get("department", ())} and (
        len(levels) > 1 or (levels and "department" not in columns)
    ):
        columns["department"] = tuple(column for _, column in sorted(levels.items()))
        sources |= dict.fromkeys(columns["department"], "spelling")
    used = {column for chosen in columns.values() for column in chosen}
    return Header(
        last_row=last_row,
        columns=columns,
        ignored=tuple((c, text) for c, text in texts.items() if c not in used and c not in doubled),
        doubled=tuple(doubled.items()),
        headings=texts,
        sources={column: source for column, source in sources.items() if column in used},
    )


def _shown(groups: tuple[str, ...], heading: str) -> str:
    """A heading on one line, after the nearest group that covers it: 紧急联系人 / 电话."""
    own = " ".join(heading.split())
    group = " ".join(groups[-1].split()) if groups else ""
    return f"{group} / {own}" if group else own


def _field_of(groups: tuple[str, ...], heading: str, spellings: Mapping[str, str]) -> tuple[str, int]:
    """What a heading means under its groups: 紧急联系人 keeps its 姓名, 部门 makes 一级 a level. "": nothing."""
    folded = fields.fold(heading)
    if spellings and (whole := fields.fold(_shown(groups, heading))) in spellings:
        return spellings[whole], _TAUGHT
    folded_groups = [fields.fold(group) for group in groups]
    if any(fields.owns_others(group) for group in folded_groups):
        return "", 0
    if folded in spellings:
        return spellings[folded], _TAUGHT
    nearest = folded_groups[-1] if folded_groups else ""
    return fields.named(folded) or fields.named(folded + nearest) or ("", 0)
