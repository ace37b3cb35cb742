"""What an invoice says, as plain frozen values: stored as JSON when it is issued, and all that its PDF is made from."""

import hashlib
import json
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from benefits import money

NAME_LIMIT = 120
NOTE_LIMIT = 500
_MARKS_A_LETTER = 2


@dataclass(frozen=True)
class Party:
    """A seller or buyer as it was on the day of issue."""

    name: str
    credit_code: str
    address: str = ""
    phone: str = ""
    bank: str = ""
    bank_account: str = ""


@dataclass(frozen=True)
class Line:
    """All deliveries of one product at one price and tax rate; amounts include tax unless they say net."""

    product: str
    tax_category: str
    quantity: int
    unit_fen: int
    gross_fen: int
    rate_bp: int
    net_fen: int
    tax_fen: int


@dataclass(frozen=True)
class TaxLine:
    """The lines of one tax category and rate, summed."""

    tax_category: str
    rate_bp: int
    net_fen: int
    tax_fen: int
    gross_fen: int


@dataclass(frozen=True)
class Document:
    """One issued invoice or credit note. A credit note's amounts are negative and it names what it corrects."""

    kind: str  # "invoice" or "credit_note"
    number: str
    month: str  # "2026-01"
    first_day: date
    last_day: date
    issued_on: date
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    note: str = ""
    corrects: str = ""

    @property
    def total_fen(self) -> int:
        return sum(line.gross_fen for line in self.lines)

    @property
    def net_fen(self) -> int:
        return sum(line.net_fen for line in self.lines)

    @property
    def tax_fen(self) -> int:
        return sum(line.tax_fen for line in self.lines)

    @property
    def tax_lines(self) -> tuple[TaxLine, ...]:
        keys = sorted({(line.tax_category, line.rate_bp) for line in self.lines})
        return tuple(
            TaxLine(
                category,
                rate,
                *(sum(amounts) for amounts in zip(*_amounts(self.lines, category, rate), strict=True)),
            )
            for category, rate in keys
        )

    @property
    def digest(self) -> str:
        """SHA-256 of what the document says, printed on it so that a copy can be checked."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Canonical: the same document is always the same text."""
        return json.dumps(
            asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=date.isoformat
        )

    @classmethod
    def from_json(cls, text: str) -> "Document":
        values: dict[str, Any] = json.loads(text)
        values.update(
            {key: date.fromisoformat(values[key]) for key in ("first_day", "last_day", "issued_on")}
        )
        values.update({key: Party(**values[key]) for key in ("seller", "buyer")})
        values["lines"] = tuple(Line(**line) for line in values["lines"])
        return cls(**values)


def _amounts(lines: Iterable[Line], category: str, rate_bp: int) -> list[tuple[int, int, int]]:
    return [
        (line.net_fen, line.tax_fen, line.gross_fen)
        for line in lines
        if (line.tax_category, line.rate_bp) == (category, rate_bp)
    ]


def line(*, product: str, tax_category: str, quantity: int, unit_fen: int, rate_bp: int) -> Line:
    """A line with its tax worked out: the net of the whole line is rounded once, half up."""
    gross = quantity * unit_fen
    net = money.net_of_tax(gross, rate_bp)
    return Line(
        product=printable(product, NAME_LIMIT),
        tax_category=printable(tax_category, NAME_LIMIT),
        quantity=quantity,
        unit_fen=unit_fen,
        gross_fen=gross,
        rate_bp=rate_bp,
        net_fen=net,
        tax_fen=gross - net,
    )


def party(**fields: str) -> Party:
    """A party whose every field is fit to print."""
    return Party(**{key: printable(value, NAME_LIMIT) for key, value in fields.items()})


def printable(text: str, limit: int) -> str:
    """Text on one line as people see it: no controls, direction overrides or invisible characters, no piled-up accents."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category.startswith("Z") or character in "\t\r\n":
            kept.append(" ")
        elif not category.startswith("C") and marks <= _MARKS_A_LETTER:
            kept.append(character)
    line_of_text = " ".join("".join(kept).split())
    return line_of_text if len(line_of_text) <= limit else line_of_text[: limit - 1] + "…"
