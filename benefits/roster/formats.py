"""Excel number formats, as far as they change how an employee number reads: 00000, "HR"0000, 000-000."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r'"([^"]*)"|\\(.)|[_*](.)|\[[^\]]*\]|(.)', re.S)
_DIGITS = "0#?"
_LITERALS = "-+/():/ $"


def shown(value: float, code: str) -> str | None:
    """What Excel shows for a whole number under a padding format, or None where the format does not pad."""
    tokens = _tokens(code.split(";", 1)[0])
    if tokens is None or value < 0 or value != int(value) or value >= 1e15:
        return None
    if code.strip("0") == "" and len(code) > 1:
        return str(int(value)).zfill(len(code))
    places = sum(1 for kind, _ in tokens if kind == "digit")
    zeros = sum(1 for _, char in tokens if char == "0")
    literal = any(kind == "text" and char.strip() for kind, char in tokens)
    if not places or (zeros < 2 and not literal):
        return None
    return _fill(str(int(value)), tokens, places)


def pads(code: str) -> bool:
    """Whether cells with this format need a closer look at all."""
    return shown(1, code) is not None


@lru_cache(maxsize=256)
def _tokens(section: str) -> list[tuple[str, str]] | None:
    tokens: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(section):
        quoted, escaped, skipped, char = match.groups()
        if quoted is not None or escaped is not None:
            tokens.append(("text", quoted if quoted is not None else escaped))
        elif skipped is not None or char is None:
            continue
        elif char in _DIGITS:
            tokens.append(("digit", char))
        elif char in _LITERALS:
            tokens.append(("text", char))
        else:
            return None  # a date, a decimal, General, @
    return tokens


def _fill(digits: str, tokens: list[tuple[str, str]], places: int) -> str:
    """Lay digits into the places from the right; what is left over goes before the first place."""
    spare = digits[: max(0, len(digits) - places)]
    padded = digits[len(spare) :].rjust(places)
    text = ""
    place = 0
    for kind, char in tokens:
        if kind == "text":
            text += char
            continue
        if place == 0:
            text += spare
        digit = padded[place]
        text += digit if digit != " " else ("0" if char == "0" else "")
        place += 1
    return text.strip()
