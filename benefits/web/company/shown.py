"""How a company's console writes value: fen as the company's points, or as yuan."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from benefits import money
from benefits.funds.errors import InsufficientFunds
from benefits.points.errors import InsufficientBudget
from tenants.errors import DomainError
from tenants.models import Company


@dataclass(frozen=True)
class Amounts:
    """One company's way of showing value."""

    rate: int
    unit: str

    def points(self, fen: int) -> str:
        """Fen as points, grouped, without the unit."""
        return money.points(fen, self.rate)

    def with_unit(self, fen: int) -> str:
        """Fen as points with the company's word for them."""
        return _("%(points)s %(unit)s") % {"points": self.points(fen), "unit": self.unit}

    def field(self, fen: int) -> str:
        """Fen as points, as a person would type them."""
        return self.points(fen).replace(",", "").replace(money.MINUS, "-")

    def yuan(self, fen: int) -> str:
        """Fen as yuan with the sign of the currency."""
        return f"¥{money.yuan_grouped(fen)}"


def company_of(request: HttpRequest) -> Company:
    """The company whose host was asked."""
    company: Company = request.company  # type: ignore[attr-defined]
    return company


def amounts(company: Company) -> Amounts:
    """The company's way of showing value."""
    return Amounts(rate=company.points_per_yuan, unit=company.points_name or _("points"))


def refusal(error: DomainError, company: Company) -> str:
    """What a form says about a refusal: the error's sentence, with amounts as this company reads them."""
    return refusal_in(error, amounts(company))


def refusal_in(error: DomainError, show: Amounts) -> str:
    """The same, where it is known how amounts are shown."""
    facts: dict[str, Any] = error.details
    if isinstance(error, InsufficientFunds):
        short = facts["needed_fen"] - facts["available_fen"]
        return _(
            "The funds hold %(available)s, which is %(short)s too little. Pay in first, or load less."
        ) % {
            "available": show.yuan(facts["available_fen"]),
            "short": show.yuan(short),
        }
    if isinstance(error, InsufficientBudget):
        return _(
            "The budget holds %(available)s, which is %(short)s too little. Load it first, or take less."
        ) % {
            "available": show.with_unit(facts["available_fen"]),
            "short": show.with_unit(facts["shortfall_fen"]),
        }
    return str(error)


def joined(words: Iterable[object]) -> str:
    """Several words as the reader's language lists them."""
    return pgettext("between the words of a list", ", ").join(str(word) for word in words)


def searched(text: str, *, limit: int = 80) -> str:
    """What was typed into a search box, without what no name or number holds."""
    return "".join(character for character in text if character.isprintable()).strip()[:limit]
