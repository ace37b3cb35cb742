"""The roster as people see it: a list to search, and one page for each employee."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from benefits import mobile
from benefits.orders import queries as orders
from benefits.people import listing
from benefits.people.listing import Wanted
from benefits.people.models import Department, Employee
from benefits.points import days
from benefits.points import queries as points
from benefits.web.company import bulk, history, people, shown
from benefits.web.company.forms import STAFF_ROLES
from benefits.web.company.shown import Amounts
from tenants.access import allow
from tenants.identity.roles import LABELS, Role

PAGE = 50
ORDER_TONES = {"placed": "info", "delivered": "ok", "partly": "warn", "refunded": "neutral"}


@allow(Role.HR, Role.ADMIN, Role.APPROVER)
def employees(request: HttpRequest) -> HttpResponse:
    """The list: searched, filtered and sorted as the address says, a page at a time."""
    show = shown.amounts(shown.company_of(request))
    wanted = bulk.wanted(request.GET)
    page = listing.page(wanted, request.GET.get("page"), size=PAGE)
    context = {
        "section": "employees",
        "page": page,
        "rows": [_row(one, show) for one in listing.people(list(page.object_list))],
        "count": page.paginator.count,
        "counts": listing.counts(),
        "departments": Department.objects.values_list("path", flat=True),
        "grades": listing.grades(),
        "roles": [(str(role), LABELS[role]) for role in STAFF_ROLES],
        "wanted": wanted,
        "state": request.GET.get("show") if request.GET.get("show") == listing.WAITING else wanted.state,
        "without": listing.WITHOUT,
        "columns": _columns(wanted),
        "filter": request.GET.urlencode(),
        "unit": show.unit,
        "may_change": bool({Role.HR, Role.ADMIN} & set(request.user.roles)),  # type: ignore[union-attr]
    }
    return render(request, "company/employees.html", context)


def _columns(wanted: Wanted) -> list[dict[str, str]]:
    """The headings that sort: the present one says which way, and turns round."""
    labels = {
        "number": pgettext("employee", "Number"),
        "name": pgettext("person", "Name"),
        "department": _("Department"),
        "joined": _("Joined"),
    }
    columns = []
    for key, label in labels.items():
        is_here, is_down = wanted.sort.removeprefix("-") == key, wanted.sort.startswith("-")
        columns.append(
            {
                "key": key,
                "label": label,
                "sort": f"-{key}" if is_here and not is_down else key,
                "aria": ("descending" if is_down else "ascending") if is_here else "",
                "icon": ("chevron-down" if is_down else "chevron-up") if is_here else "",
            }
        )
    return columns


def _row(employee: Employee, show: Amounts) -> dict[str, Any]:
    wallet = getattr(employee, "wallet", None)
    return {
        "employee": employee,
        "mobile": mobile.masked(employee.mobile),
        "sign_in": people.sign_in_state(employee.user),
        "balance": show.points((wallet.balance_fen or 0) if wallet else 0),
    }


@allow(Role.HR, Role.ADMIN, Role.APPROVER)
def employee(request: HttpRequest, pk: int) -> HttpResponse:
    """One employee: who, what is in the wallet, what was granted and redeemed."""
    return _page(request, _find(pk))


@allow(Role.HR, Role.ADMIN, Role.APPROVER)
def peek(request: HttpRequest, pk: int) -> HttpResponse:
    """The facts of one employee beside the list."""
    return render(request, "company/_employee_facts.html", _facts(request, _find(pk)))


@allow(Role.HR, Role.ADMIN)
@require_POST
@never_cache
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Make an activation link and show it once, to be handed over."""
    found = _find(pk)
    return _page(request, found, link=people.issue_link(request, found.user))


def _find(pk: int) -> Employee:
    return get_object_or_404(Employee.objects.select_related("department", "user", "wallet"), pk=pk)


def _page(request: HttpRequest, found: Employee, *, link: str = "") -> HttpResponse:
    show = shown.amounts(shown.company_of(request))
    context = {
        **_facts(request, found),
        "section": "employees",
        "link": link,
        "lots": [
            {
                "lot": lot,
                "left": show.points(lot.remaining_fen),
                "granted": show.points(lot.granted_fen),
                "last_day": days.last_day(lot.expires_at) if lot.expires_at else None,
            }
            for lot in points.lots_of(found)
        ],
        "history": [
            {**entry, "shown": show.points(entry["fen"]), "balance": show.points(int(entry["balance_fen"]))}
            for entry in points.history_of(found, limit=20)
        ],
        "orders": [
            {
                "order": order,
                "name": order.name_zh if (get_language() or "zh").startswith("zh") else order.name_en,
                "price": show.points(order.price_fen),
                "tone": ORDER_TONES[order.status],
            }
            for order in orders.orders_of(found)[:20]
        ],
        "changes": history.changes_of(found),
        "may_change": bool({Role.HR, Role.ADMIN} & set(request.user.roles)),  # type: ignore[union-attr]
        "is_self": found.user_id == request.user.pk,
        "may_link": people.may_link(request.user, found.user),
        "is_admin": Role.ADMIN in request.user.roles,  # type: ignore[union-attr]
    }
    return render(request, "company/employee.html", context)


def _facts(request: HttpRequest, found: Employee) -> dict[str, Any]:
    show = shown.amounts(shown.company_of(request))
    wallet = points.wallet_of(found, at=timezone.now())
    return {
        "employee": found,
        "mobile": mobile.masked(found.mobile),
        "sign_in": people.sign_in_state(found.user),
        "unit": show.unit,
        "wallet": {
            "available": show.points(wallet.available_fen),
            "held": show.points(wallet.held_fen),
            "granted": show.points(wallet.granted_this_year_fen),
            "expiring": show.points(wallet.expiring_fen),
            "last_day": days.last_day(wallet.expires_at) if wallet.expires_at else None,
        },
    }
