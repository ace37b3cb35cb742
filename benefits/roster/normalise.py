"""Turn one raw cell into one value in our words, or into the problem with it. Pure; one function a field."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from .shapes import Cell, CellError, NoValue, Problem

Value = TypeVar("Value")

# As long as the columns of benefits.people.models.Employee.
NAME_CHARS = 50
NUMBER_CHARS = GRADE_CHARS = CITY_CHARS = 40
EMAIL_CHARS = 160
DEPARTMENT_CHARS = 200

_INVISIBLE = [
    0xAD,
    0x61C,
    0x180E,
    0xFEFF,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x206A),
]
_SPACES = [0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 9, 10, 11, 12, 13]
_FOLD: dict[int, str | None] = {
    **{
        code: chr(code - 0xFEE0)
        for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
    },
    **{ord(wide): narrow for wide, narrow in zip("＠／＞，￥", "@/>,¥", strict=True)},
    **dict.fromkeys(_SPACES, " "),
    **dict.fromkeys(_INVISIBLE, None),
}
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ＠／＞，￥]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DASHES = str.maketrans(dict.fromkeys("－–—‐‑‒―−﹣", "-"))
_BLANKS = {"", "-", "/", "无", "n/a", "--", "—", "——", "－", "–"}
_ERROR_TEXT = re.compile(
    r"#(N/A|NAME\?|REF!|VALUE!|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!|GETTING_DATA)",
    re.I,
)

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PLAIN_NAME = re.compile("[\u4e00-\u9fff]{1,50}")
_HAN_SPACE = re.compile(f"(?<=[{_HAN}]) +(?=[{_HAN}])")
_SPACE_RUN = re.compile(" {2,}")
_DOTS = str.maketrans("•・", "··")
_COMBINING = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u3099\u309a]")

_MOBILE_NOISE = re.compile(r"[\s\-()（）\[\]【】]")
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})(?:\.0+)?")
_SCIENTIFIC = re.compile(r"[0-9.]+[eE]\+?[0-9]+")

_DATE = re.compile(
    r"([0-9]{4}) ?[-/.年] ?([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2}) ?日?"
    r"(?:[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
)
_COMPACT_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SERIAL = re.compile(r"[0-9]{4,5}(?:\.[0-9]+)?")
_EPOCH_1900 = dt.date(1899, 12, 30)
_EPOCH_1904 = dt.date(1904, 1, 1)
_FIRST_DATE, _LAST_DATE = dt.date(1900, 1, 1), dt.date(2100, 12, 31)
_FIRST_SERIAL_DATE = dt.date(1920, 1, 1)  # a smaller number is a year or a mistake, not a day

_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")
MOST_POINTS = 1_000_000_000

_STATUSES = {
    **dict.fromkeys(["在职", "正式", "转正", "试用期", "实习", "在岗", "active", "employed"], "active"),
    **dict.fromkeys(["离职", "已离职", "退休", "resigned", "left", "terminated"], "left"),
}

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID = re.compile(r"[1-9][0-9]{16}[0-9X]")


class _Bad(Exception):
    """One cell cannot be used; caught in this module alone."""

    def __init__(self, code: str, **params: str | int) -> None:
        self.problem = Problem(code, params)


def clean(text: str) -> str:
    """Fold full-width letters and digits, drop what cannot be seen, trim. The rest stays word for word."""
    if text.isprintable() and (text.isascii() or not _WIDE.search(text)):
        return text.strip()
    text = text.translate(_FOLD)
    if _CONTROL.search(text):
        raise _Bad("unsafe_text")
    return text.strip()


def text_of(cell: Cell) -> str | None:
    """The cell as Excel shows it, or None where it is blank or says that there is nothing."""
    if type(cell) is str:
        text = clean(cell)
        if len(text) <= 3 and text.lower() in _BLANKS:
            return None
        if text[0] == "#" and _ERROR_TEXT.fullmatch(text):
            raise _Bad("error_cell", value=text)
        return text
    if isinstance(cell, CellError):
        raise _Bad("error_cell", value=cell.text)
    if isinstance(cell, NoValue):
        raise _Bad("formula_without_value")
    if isinstance(cell, bool):
        raise _Bad("true_or_false")
    if isinstance(cell, float | int):
        return _digits(cell)
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)


def _digits(number: float) -> str:
    """A number as text, without the .0 that is not there."""
    if number != number or number in (float("inf"), float("-inf")):
        raise _Bad("error_cell", value=str(number))
    return str(int(number)) if number == int(number) else repr(number)


def _composed(text: str) -> str:
    """Join letters and their accents. Whole-text NFC would replace rare Han characters."""
    return unicodedata.normalize("NFC", text) if _COMBINING.search(text) else text


def _short(text: str, limit: int) -> str:
    if len(text) > limit:
        raise _Bad("text_too_long", limit=limit)
    return text


# --- the fields ----------------------------------------------------------------------------------------


def employee_no(cell: Cell) -> str | None:
    if isinstance(cell, float | int) and abs(cell) >= 1e15:
        raise _Bad("lost_digits")
    text = text_of(cell)
    return None if text is None else _short(_SPACE_RUN.sub(" ", text), NUMBER_CHARS)


def name(cell: Cell) -> str | None:
    if type(cell) is str and _PLAIN_NAME.fullmatch(cell):
        return None if cell in _BLANKS else cell
    text = text_of(cell)
    if text is None:
        return None
    text = _composed(_HAN_SPACE.sub("", text).translate(_DOTS))
    text = _SPACE_RUN.sub(" ", text)
    if len(text) > NAME_CHARS:
        raise _Bad("name_too_long", limit=NAME_CHARS, length=len(text))
    return text


def mobile(cell: Cell) -> str | None:
    if isinstance(cell, bool):
        raise _Bad("invalid_mobile", why="form")
    if (
        type(cell) is str
        and len(cell) == 11
        and cell.isascii()
        and cell.isdigit()
        and "13" <= cell[:2] <= "19"
    ):
        return cell
    text = text_of(cell)
    if text is None:
        return None
    digits = _MOBILE_NOISE.sub("", text.translate(_DASHES)).replace("＋", "+")
    if found := _MOBILE.fullmatch(digits):
        return found[1]
    raise _mobile_problem(digits)


def _mobile_problem(digits: str) -> _Bad:
    if _SCIENTIFIC.fullmatch(digits):
        return _Bad("invalid_mobile", why="lost")
    if digits.isascii() and digits.isdigit() and digits.startswith("1"):
        if len(digits) < 11:
            return _Bad("invalid_mobile", why="short", count=11 - len(digits))
        if len(digits) > 11:
            return _Bad("invalid_mobile", why="long", count=len(digits) - 11)
    return _Bad("invalid_mobile", why="form")


def department_parts(cell: Cell) -> list[str]:
    """The levels named in one cell: split at / \\ >, never at a dash."""
    text = text_of(cell)
    if text is None:
        return []
    parts = (_SPACE_RUN.sub(" ", part).strip() for part in re.split(r"[/\\>]", text))
    return [_composed(part) for part in parts if part]


def department(cell: Cell) -> str | None:
    return _short("/".join(department_parts(cell)), DEPARTMENT_CHARS) or None


def email(cell: Cell) -> str | None:
    if isinstance(cell, bool):
        raise _Bad("invalid_email")
    text = text_of(cell)
    if text is None:
        return None
    text = text.lower()
    if len(text) > EMAIL_CHARS or not _EMAIL.fullmatch(text):
        raise _Bad("invalid_email")
    return text


def date(cell: Cell, *, date1904: bool = False) -> dt.date | None:
    """A day. Numbers are counted from the workbook's own epoch."""
    if type(cell) is dt.date:
        return _in_range(cell, _FIRST_DATE)
    if isinstance(cell, dt.datetime):
        return _in_range(cell.date(), _FIRST_DATE)
    if isinstance(cell, bool | dt.time | dt.timedelta):
        raise _Bad("invalid_date")
    if isinstance(cell, float | int):
        return _date_of_number(cell, date1904)
    text = text_of(cell)
    return None if text is None else _date_of_text(text.translate(_DASHES), date1904)


def _date_of_text(text: str, date1904: bool) -> dt.date:
    if found := _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text):
        try:
            return _in_range(dt.date(int(found[1]), int(found[2]), int(found[3])), _FIRST_DATE)
        except ValueError:
            raise _Bad("invalid_date", why="no_such_day") from None
    if _SERIAL.fullmatch(text):
        return _date_of_number(float(text), date1904)
    raise _Bad("invalid_date")


def _date_of_number(number: float, date1904: bool) -> dt.date:
    if number != number or not 0 < number < 1e8:
        raise _Bad("invalid_date")
    if number >= 1e7:
        return _date_of_text(str(int(number)), date1904)
    try:
        day = (_EPOCH_1904 if date1904 else _EPOCH_1900) + dt.timedelta(days=int(number))
    except OverflowError:
        raise _Bad("invalid_date") from None
    return _in_range(day, _FIRST_SERIAL_DATE)


def _in_range(day: dt.date, first: dt.date) -> dt.date:
    if not first <= day <= _LAST_DATE:
        raise _Bad("invalid_date", why="range")
    return day


def grade(cell: Cell) -> str | None:
    text = text_of(cell)
    return None if text is None else _short(_SPACE_RUN.sub(" ", text), GRADE_CHARS)


def city(cell: Cell) -> str | None:
    text = text_of(cell)
    return None if text is None else _short(_SPACE_RUN.sub(" ", text), CITY_CHARS)


def points(cell: Cell) -> int | Decimal | None:
    if type(cell) is float and cell.is_integer() and 0 <= cell <= MOST_POINTS:
        return int(cell)
    if isinstance(cell, bool | dt.date | dt.time | dt.timedelta):
        raise _Bad("invalid_points")
    text = text_of(cell)
    if text is None:
        return None
    text = text.replace(",", "").replace("¥", "").strip()
    if not _NUMBER.fullmatch(text):
        raise _Bad("invalid_points", why="negative" if text.startswith("-") else "form")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise _Bad("invalid_points", why="form") from None
    if value > MOST_POINTS:
        raise _Bad("invalid_points", why="limit", limit=MOST_POINTS)
    return int(value) if value == int(value) else value


def status(cell: Cell) -> str | None:
    text = str(cell).upper() if isinstance(cell, bool) else text_of(cell)
    if text is None:
        return None
    known = _STATUSES.get(text.replace(" ", "").lower())
    if known is None:
        raise _Bad("unknown_status", value=text[:20])
    return known


def id_number(cell: Cell) -> str | None:
    """Checked and compared, never kept. A number has lost its last digits and is not repaired."""
    if isinstance(cell, float | int):
        raise _Bad("invalid_id_number", why="lost")
    text = text_of(cell)
    if text is None:
        return None
    text = text.upper()
    if not _ID.fullmatch(text):
        raise _Bad("invalid_id_number", why="lost" if _SCIENTIFIC.fullmatch(text) else "form")
    try:
        dt.date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        raise _Bad("invalid_id_number", why="date") from None
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, text[:17], strict=True))
    if "10X98765432"[total % 11] != text[17]:
        raise _Bad("invalid_id_number", why="check")
    return text


def attempt(function: Callable[[Cell], Value | None], cell: Cell) -> Value | Problem | None:
    """The value of a cell, or the problem with it."""
    try:
        return function(cell)
    except _Bad as bad:
        return bad.problem
