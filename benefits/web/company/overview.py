"""The first page of the console: figures, what is to do, and how far the set-up is."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from benefits.funds import queries as funds
from benefits.funds.models import FundsAccount
from benefits.people.models import Employee
from benefits.points import overview as points
from benefits.points import queries
from benefits.points.models import Budget
from benefits.web.company import ahead, approvals, shown
from benefits.web.company.shown import Amounts
from tenants.access import allow
from tenants.identity.roles import Role

EXPIRING_DAYS = 30


@allow(Role.HR, Role.ADMIN, Role.APPROVER, Role.FINANCE)
def overview(request: HttpRequest) -> HttpResponse:
    """Headcount, where the value is, what is to do, the latest grants."""
    company = shown.company_of(request)
    show = shown.amounts(company)
    at = timezone.now()
    people = Employee.objects.filter(status=Employee.Status.ACTIVE).aggregate(
        active=Count("pk"), waiting=Count("pk", filter=Q(user__last_login__isnull=True))
    )
    books = points.books()
    account = funds.account_of(company.schema_name)
    funds_fen = account.available_fen
    grants = list(queries.grants()[:5])
    budgets = list(queries.budgets().order_by("-id")[:20])
    steps = _steps(people["active"], funds_fen, budgets, bool(grants))
    context = {
        "section": "overview",
        "waiting": approvals.on_home(request),
        "people": people,
        "books": {
            "in_budgets": show.points(books.in_budgets_fen),
            "in_wallets": show.points(books.in_wallets_fen),
            "held": show.points(books.held_fen),
            "delivered": show.points(books.delivered_fen),
        },
        "funds": show.yuan(funds_fen),
        "unit": show.unit,
        "months": _months(show, at),
        "departments": _departments(show),
        "grants": [{"grant": grant, "total": show.points(grant.total_fen)} for grant in grants],
        "due": ahead.this_week(show, timezone.localdate(at)),
        "todos": [*_money(show, account, budgets, at), *_todos(show, people, budgets, at)],
        "is_low": funds.is_low(account),
        "steps": steps,
        "steps_left": sum(not step["done"] for step in steps),
    }
    return render(request, "company/overview.html", context)


def _months(show: Amounts, at: datetime) -> dict[str, str]:
    today = timezone.localdate(at)
    first = today.replace(day=1)
    last = first - timedelta(days=1)
    return {
        "this": show.points(points.granted_between(first, today)),
        "last": show.points(points.granted_between(last.replace(day=1), last)),
    }


def _departments(show: Amounts) -> list[dict[str, Any]]:
    rows = points.by_department()
    return [
        {
            "label": name or _("without a department"),
            "value": used,
            "max": granted,
            "text": f"{show.points(used)} / {show.points(granted)}",
        }
        for name, granted, used in rows
    ]


def _money(show: Amounts, account: FundsAccount, budgets: list[Budget], at: datetime) -> list[dict[str, str]]:
    """Funds that are low, and budgets that are over and still hold something."""
    todos = []
    if funds.is_low(account):
        text = _("The funds are low: %(amount)s can be loaded")
        todos.append(
            {
                "icon": "landmark",
                "text": text % {"amount": show.yuan(account.available_fen)},
                "href": reverse("company_funds"),
            }
        )
    today = timezone.localdate(at)
    over = [one for one in budgets if one.to_date and one.to_date < today and one.account.balance_fen]
    for budget in over[:3]:
        text = _("The budget “%(name)s” is over and holds %(amount)s")
        facts = {"name": budget.name, "amount": show.yuan(budget.account.balance_fen or 0)}
        todos.append(
            {"icon": "wallet", "text": text % facts, "href": reverse("company_budget", args=[budget.pk])}
        )
    return todos


def _todos(show: Amounts, people: dict[str, int], budgets: list[Any], at: datetime) -> list[dict[str, str]]:
    todos = []
    expiring = points.expiring_fen(after=at, days=EXPIRING_DAYS)
    if expiring:
        todos.append(
            {
                "icon": "hourglass",
                "text": _("%(amount)s in wallets expire within %(days)d days")
                % {"amount": show.with_unit(expiring), "days": EXPIRING_DAYS},
                "href": reverse("company_grants"),
            }
        )
    if people["waiting"]:
        todos.append(
            {
                "icon": "user-plus",
                "text": ngettext(
                    "%(count)d employee has never signed in",
                    "%(count)d employees have never signed in",
                    people["waiting"],
                )
                % {"count": people["waiting"]},
                "href": reverse("company_employees") + "?show=waiting",
            }
        )
    todos += [
        {
            "icon": "wallet",
            "text": _("The budget “%(name)s” waits for its first load") % {"name": budget.name},
            "href": reverse("company_budget", args=[budget.pk]),
        }
        for budget in budgets
        if budget.status == budget.Status.OPEN
        and (budget.to_date is None or budget.to_date >= timezone.localdate(at))
        and not (budget.account.balance_fen or budget.last_grant_at)
    ][:3]
    return todos


def _steps(active: int, funds_fen: int, budgets: list[Any], granted: bool) -> list[dict[str, Any]]:
    return [
        {"text": _("Import the roster"), "done": active > 0, "href": reverse("company_employees")},
        {"text": _("Pay in"), "done": funds_fen > 0 or bool(budgets), "href": reverse("company_funds")},
        {"text": _("Open a budget"), "done": bool(budgets), "href": reverse("company_budget_new")},
        {"text": _("Grant points"), "done": granted, "href": reverse("company_grant_new")},
    ]
