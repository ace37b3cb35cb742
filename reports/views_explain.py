"""Where a fen came from and went, and what an account held when: two pages of the finance section, each also as JSON."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from benefits import money
from benefits.fulfilment.models import Delivery
from benefits.funds.models import FundsEntry
from benefits.orders.models import Item
from benefits.points.days import last_day
from benefits.points.models import Budget, Posting
from reports import balances, explain, shown
from reports.explain import Chain, Level, Step
from reports.invoices.models import Invoice
from reports.report import FINANCE
from tenants.access import allow
from tenants.errors import DomainError

MOST_BUDGETS = 200


@allow(*FINANCE)
@require_safe
def explain_page(request: HttpRequest) -> HttpResponse:
    """The whole chain of one budget, grant, lot, wallet, order or invoice."""
    of = _asked(request)
    context: dict[str, Any] = {
        "section": "reports",
        "kinds": [(kind, subject.label) for kind, subject in explain.SUBJECTS.items()],
        "kind": of.partition(":")[0] or "order",
        "key": of.partition(":")[2],
        "of": of,
    }
    status = 200
    if of:
        try:
            context["chain"] = _chain(explain.explain(of=of))
        except DomainError as error:
            context["problem"], status = str(error), error.status
    return render(request, "reports/explain.html", context, status=status)


@allow(*FINANCE)
@require_safe
def explain_json(request: HttpRequest) -> HttpResponse:
    """The same for a program."""
    return JsonResponse(explain.explain(of=_asked(request)).as_json())


def _asked(request: HttpRequest) -> str:
    if of := request.GET.get("of", "").strip():
        return of[:90]
    kind, key = request.GET.get("kind", ""), request.GET.get("key", "").strip()
    return f"{kind}:{key}"[:90] if key else ""


def _chain(chain: Chain) -> dict[str, Any]:
    return {
        "label": explain.SUBJECTS[chain.kind].label,
        "title": chain.title,
        "at": shown.instant(chain.at),
        "total": money.yuan_grouped(chain.fen),
        "adds_up": chain.adds_up,
        "parts": [
            {"label": explain.PARTS[name], "amount": money.yuan_grouped(fen)}
            for name, fen in chain.parts.items()
        ],
        "levels": [_level(level, own=f"{chain.kind}:{chain.key}") for level in chain.levels if level.count],
    }


def _level(level: Level, *, own: str) -> dict[str, Any]:
    return {
        "label": level.label,
        "total": money.yuan_grouped(level.fen),
        "count": f"{level.count:,}",
        "more": level.more,
        "steps": [_step(level.name, step, is_own=step.key == own) for step in level.steps],
    }


def _step(level: str, step: Step, *, is_own: bool) -> dict[str, Any]:
    return {
        "key": "" if is_own else step.key,
        "is_own": is_own,
        "title": _WORDS.get(step.title, step.title) if level == "loads" else step.title,
        "note": _note(level, step.note),
        "at": shown.instant(step.at) if step.at else "",
        "amount": money.yuan_grouped(step.fen),
        "href": _page_of(step.key),
    }


# What the codes that stand in notes are called.
_WORDS: dict[str, Any] = {
    **dict(Posting.Kind.choices),
    **dict(Delivery.Status.choices),
    **dict(Item.Status.choices),
    **dict(Invoice.Kind.choices),
}


def _note(level: str, note: str) -> str:
    if level == "lots":
        day = last_day(datetime.fromisoformat(note)) if note else None
        return _("valid until %(day)s") % {"day": day.isoformat()} if day else _("no expiry")
    return " · ".join(str(_WORDS.get(part, part)) for part in note.split(" · ")) if note else ""


def _page_of(key: str) -> str:
    """The page where the thing itself is looked after, where the reader's roles have one."""
    kind, _colon, name = key.partition(":")
    pages = {"budget": "company_budget", "grant": "company_grant", "invoice": "company_invoice"}
    return reverse(pages[kind], args=[name]) if kind in pages else ""


@allow(*FINANCE)
@require_safe
def balance_page(request: HttpRequest) -> HttpResponse:
    """What an account held at an instant, and the latest moves before it."""
    account, text = request.GET.get("account", "").strip()[:90], request.GET.get("at", "").strip()
    context: dict[str, Any] = {
        "section": "reports",
        "accounts": [
            *balances.OWN.items(),
            *((f"budget:{pk}", name) for pk, name in Budget.objects.values_list("pk", "name")[:MOST_BUDGETS]),
        ],
        "account": account,
        "wallet": account.removeprefix("wallet:") if account.startswith("wallet:") else "",
        "at": text or f"{timezone.localtime(timezone.now()):%Y-%m-%dT%H:%M}",
    }
    status = 200
    if account:
        try:
            at = _instant(text)
            context["at"] = f"{timezone.localtime(at):%Y-%m-%dT%H:%M}"
            context["balance"] = _balance(balances.balance_at(account=_named(request, account), at=at))
        except DomainError as error:
            context["problem"], status = str(error), error.status
    return render(request, "reports/balances.html", context, status=status)


@allow(*FINANCE)
@require_safe
def balance_json(request: HttpRequest) -> HttpResponse:
    """The same for a program; without an instant, now."""
    at = _instant(request.GET.get("at", "").strip())
    return JsonResponse(balances.balance_at(account=request.GET.get("account", "")[:90], at=at).as_json())


def _named(request: HttpRequest, account: str) -> str:
    """A wallet is chosen by typing whose it is."""
    return f"wallet:{request.GET.get('no', '').strip()[:60]}" if account == "wallet" else account


def _instant(text: str) -> datetime:
    """The instant that was asked for; now where none was."""
    return balances.instant_of(text) if text else timezone.now()


def _balance(balance: balances.Balance) -> dict[str, Any]:
    words = {**_WORDS, **(dict(FundsEntry.Kind.choices) if balance.account == "funds" else {})}
    return {
        "title": balance.title,
        "at": shown.instant(balance.at),
        "amount": money.yuan_grouped(balance.fen),
        "count": balance.count,
        "cut": balance.count > len(balance.moves),
        "moves": [
            {
                "at": shown.instant(move.at),
                "what": words.get(move.kind, move.kind),
                "reference": move.reference,
                "is_in": move.fen > 0,
                "amount": money.yuan_grouped(move.fen),
                "balance": money.yuan_grouped(move.balance_fen),
            }
            for move in balance.moves
        ],
    }
