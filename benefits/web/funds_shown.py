"""How a company's funds are told, to the company and to the platform alike: statement lines, receipts, slips."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from benefits import money
from benefits.funds import receipts
from benefits.funds.models import Deposit, FundsEntry, Receipt
from benefits.funds.queries import Statement
from benefits.funds.slips import CONTENT_TYPES, Slip

PAGE = 100


def day_field(label: Any, **more: Any) -> forms.DateField:
    """A day as browsers give it."""
    return forms.DateField(label=label, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"), **more)


class PeriodForm(forms.Form):
    """A period of a statement, as the address gives it; without a day it is open at that end."""

    first = day_field(pgettext_lazy("period", "From"), required=False)
    last = day_field(pgettext_lazy("period", "Until"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and last < first:
            self.add_error("last", _("The last day lies before the first."))
        return data


def yuan(fen: int) -> str:
    """Fen as yuan with the sign of the currency."""
    return f"¥{money.yuan_grouped(fen)}"


def sums(statement: Statement) -> dict[str, str]:
    """The four figures of a statement."""
    return {
        "opening": yuan(statement.opening_fen),
        "came": yuan(statement.in_fen),
        "went": yuan(statement.out_fen),
        "closing": yuan(statement.closing_fen),
    }


def lines(entries: Iterable[FundsEntry], *, budgets: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Statement lines: what it was, of which deposit or budget, in, out, and the balance after it.

    `budgets` are those that entries loaded or returned, by reference.
    """
    found = list(entries)
    keys = {int(entry.reference.partition(":")[2]) for entry in found if entry.kind in ("deposit", "reverse")}
    deposits = Deposit.objects.select_related("receipt").in_bulk(keys)
    return [_line(entry, deposits, budgets) for entry in found]


def _line(entry: FundsEntry, deposits: Mapping[int, Deposit], budgets: Mapping[str, Any]) -> dict[str, Any]:
    deposit = None
    if entry.kind in ("deposit", "reverse"):
        deposit = deposits[int(entry.reference.partition(":")[2])]
    return {
        "at": entry.at,
        "kind": entry.get_kind_display(),
        "deposit": deposit,
        "receipt": receipt_number(deposit) if deposit else "",
        "budget": budgets.get(entry.reference),
        "came": yuan(entry.fen) if entry.fen > 0 else "",
        "went": yuan(-entry.fen) if entry.fen < 0 else "",
        "balance": yuan(getattr(entry, "running_fen", 0)),
    }


def receipt_number(deposit: Deposit) -> str:
    """The number of a deposit's receipt; one confirmed before there were receipts has none."""
    try:
        return deposit.receipt.number
    except Receipt.DoesNotExist:
        return ""


def printed(receipt: Receipt, *, is_void: bool) -> dict[str, Any]:
    """A receipt as it is printed: only what was kept with it, and whether its deposit was reversed since."""
    kept = receipts.Printed.of_json(receipt.snapshot)
    return {"kept": kept, "amount": yuan(kept.fen), "is_void": is_void}


def attached(slip: Slip, *, deposit: Deposit) -> HttpResponse:
    """A slip as a file to keep, under a name of ours, that no browser shows in place or guesses about."""
    response = HttpResponse(slip.data, content_type=CONTENT_TYPES[slip.kind])
    name = _("bank-slip-%(number)d") % {"number": deposit.pk}
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.{slip.kind}")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def period_words(first: Any, last: Any) -> str:
    """A period in words, for the head of a printed statement."""
    facts = {"first": first, "last": last}
    if first and last:
        return pgettext("period", "%(first)s to %(last)s") % facts
    if first:
        return pgettext("period", "from %(first)s") % facts
    return pgettext("period", "until %(last)s") % facts if last else pgettext("period", "all of it")


def wants_all(request: HttpRequest) -> bool:
    """Whether the whole period is asked for on one page, to be printed."""
    return request.GET.get("all") == "1"
