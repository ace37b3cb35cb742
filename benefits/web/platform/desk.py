"""The first page: what waits, what is stuck, how the suppliers are."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from benefits import money
from benefits.fulfilment import oversight, queries
from benefits.funds import queries as funds
from benefits.web.platform import look, who

AGES = {
    "m1": _("under 1 minute"),
    "m10": _("1 to 10 minutes"),
    "h1": _("10 to 60 minutes"),
    "d1": _("1 to 24 hours"),
    "old": _("over a day"),
}
LISTED = 6


@who.everyone
def desk(request: HttpRequest) -> HttpResponse:
    """What needs a person now; every figure leads to its list."""
    at = timezone.now()
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    today, usual = oversight.today_and_usual(at=at, midnight=midnight)
    deposits = funds.deposits_to_confirm()
    waiting = list(deposits[:LISTED])
    names = look.company_names({one.account.company for one in waiting})
    cases = queries.open_cases()
    context = {
        "section": "desk",
        "at": at,
        "counts": oversight.counts(),
        "ages": _ages(at),
        "suppliers": [supplier_row(one, at=at) for one in oversight.suppliers(since=at - timedelta(hours=1))],
        "today": today,
        "usual": usual,
        "spark": _spark(oversight.by_hour(at=at)),
        "cases": [(case, look.age(case.opened_at, at=at)) for case in cases[:LISTED]],
        "deposits_number": deposits.count(),
        "deposits": [
            {
                "deposit": one,
                "company": names.get(one.account.company, one.account.company),
                "yuan": money.yuan_grouped(one.fen),
                "age": look.age(one.recorded_at, at=at),
            }
            for one in waiting
        ],
    }
    return render(request, "platform/desk.html", context)


def supplier_row(supplier: Any, *, at: Any) -> dict[str, Any]:
    """A supplier as the desk and the list of suppliers show it."""
    paused = supplier.paused_until is not None and supplier.paused_until > at
    ended = supplier.succeeded + supplier.failed
    share = round(100 * supplier.succeeded / ended) if ended else None
    if not supplier.is_active:
        tone = "neutral"
    elif paused or (share is not None and share < 80):
        tone = "bad"
    elif supplier.unknown or (share is not None and share < 97):
        tone = "warn"
    else:
        tone = "ok"
    return {
        "supplier": supplier,
        "paused": paused,
        "share": share,
        "tone": tone,
        "took": look.lasting(supplier.took),
    }


def _ages(at: Any) -> list[dict[str, Any]]:
    found = oversight.open_by_age(at=at)
    most = max([*found.values(), 1])
    return [
        {
            "name": name,
            "label": AGES[name],
            "value": number,
            "max": most,
            "late": name in ("d1", "old") and number,
        }
        for name, number in found.items()
    ]


def _spark(numbers: list[int]) -> str:
    most = max([*numbers, 1])
    step = 100 / (len(numbers) - 1)
    return " ".join(
        f"{index * step:.1f},{38 - 34 * number / most:.1f}" for index, number in enumerate(numbers)
    )
