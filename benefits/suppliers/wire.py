"""Reading what a supplier wrote, strictly: a JSON object with the types we expect, or nothing."""

import json
import re
from collections.abc import Mapping
from typing import Any

MAX_FEN = 10**11
_SECRETS = re.compile(r"(?=\S*\d)[0-9A-Za-z@._\-+/=]{6,}|[0-9A-Za-z@._\-+/=]{16,}", re.ASCII)


class Unreadable(Exception):
    """The bytes are not the object that was expected; the text says how."""


def read_object(body: bytes) -> dict[str, Any]:
    """Parse a UTF-8 JSON object; a repeated key, NaN or a deep nest make it unreadable."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {type(error).__name__}, {len(body)} bytes") from None
    if not isinstance(value, dict):
        raise Unreadable(f"not a JSON object but {type(value).__name__}")
    return value


def whole(values: Mapping[str, Any], key: str) -> int | None:
    """Return an exact integer from 0 to `MAX_FEN`, or None: a float or a text is never an amount."""
    value = values.get(key)
    return value if type(value) is int and 0 <= value <= MAX_FEN else None


def text(values: Mapping[str, Any], key: str, limit: int = 200) -> str:
    """Return a text of at most `limit` characters, or the empty text when there is none."""
    value = values.get(key)
    return value[:limit] if isinstance(value, str) else ""


def remark(value: str, limit: int = 120) -> str:
    """Make a supplier's free text safe to keep: anything that may be a number, a code or an address goes."""
    return _SECRETS.sub("…", value.replace("\x00", ""))[:limit]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key is repeated")
    return values


def _constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
