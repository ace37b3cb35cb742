"""Budgets: list, open, load from the company's funds, return to them."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from benefits.approvals import operations as approvals
from benefits.approvals.models import Kind
from benefits.catalogue.models import Category
from benefits.funds import queries as funds
from benefits.points import operations, overview, queries
from benefits.points.models import Budget
from benefits.points.queries import BudgetFigures
from benefits.web.company import approval_words, shown
from benefits.web.company.forms import BudgetForm, MoneyForm
from benefits.web.company.shown import Amounts
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

PAGE = 20
READERS = (Role.HR, Role.ADMIN, Role.APPROVER, Role.FINANCE)


@allow(*READERS)
def budgets(request: HttpRequest) -> HttpResponse:
    """All budgets with their figures."""
    company = shown.company_of(request)
    show = shown.amounts(company)
    page = Paginator(queries.budgets().order_by("-id"), PAGE).get_page(request.GET.get("page"))
    found = list(page)
    figures = overview.figures_of_budgets(found)
    context = {
        "section": "budgets",
        "page": page,
        "rows": [_figures(budget, figures[budget.pk], show) for budget in found],
        "unit": show.unit,
        "funds": show.yuan(funds.available_fen(company.schema_name)),
        "may_change": may_change(request),
    }
    return render(request, "company/budgets.html", context)


def may_change(request: HttpRequest) -> bool:
    """Whether the reader may also move value."""
    return bool({Role.HR, Role.ADMIN} & request.user.roles)  # type: ignore[union-attr]


def _figures(budget: Budget, figures: BudgetFigures, show: Amounts) -> dict[str, Any]:
    whole = figures.loaded_fen - figures.returned_fen
    percent = round(100 * figures.granted_fen / whole) if whole else 0
    return {
        "budget": budget,
        "loaded": show.points(whole),
        "left": show.points(figures.left_fen),
        "left_yuan": show.yuan(figures.left_fen),
        "granted": show.points(figures.granted_fen),
        "in_wallets": show.points(figures.in_wallets_fen),
        "held": show.points(figures.held_fen),
        "delivered": show.points(figures.delivered_fen),
        "percent": percent,
        "is_low": 80 <= percent < 100,
    }


@allow(Role.HR, Role.ADMIN)
def new(request: HttpRequest) -> HttpResponse:
    """Open an empty budget."""
    company = shown.company_of(request)
    form = BudgetForm(request.POST or None, company=company, initial={"owner": str(request.user)})
    if request.method == "POST" and form.is_valid():
        try:
            budget = operations.open_budget(
                **form.cleaned_data,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(
                request, _("The budget “%(name)s” is open. Load it next.") % {"name": budget.name}
            )
            return redirect("company_budget", pk=budget.pk)
    return render(
        request,
        "company/budget_new.html",
        {"section": "budgets", "form": form},
        status=422 if form.errors else 200,
    )


@allow(*READERS)
def budget(request: HttpRequest, pk: int) -> HttpResponse:
    """One budget: figures, loads, grants."""
    return _budget(request, _find(pk))


@allow(Role.HR, Role.ADMIN)
@require_POST
def load(request: HttpRequest, pk: int) -> HttpResponse:
    """Move money from the company's funds into the budget."""
    return _move(request, _find(pk), Kind.LOAD, _("%(amount)s were loaded."))


@allow(Role.HR, Role.ADMIN)
@require_POST
def give_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Return money from the budget to the company's funds."""
    return _move(request, _find(pk), Kind.RETURN, _("%(amount)s were returned to the funds."))


def _find(pk: int) -> Budget:
    return get_object_or_404(Budget.objects.select_related("account"), pk=pk)


def _move(request: HttpRequest, found: Budget, kind: Kind, done: str) -> HttpResponse:
    company = shown.company_of(request)
    form = MoneyForm(request.POST, company=company, prefix=str(kind))
    if form.is_valid():
        fen = form.cleaned_data["amount"]
        try:
            asked = approvals.submit(
                kind=kind,
                subject=found,
                fen=fen,
                request_key=form.cleaned_data["request_key"],
                details={},
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            if not approval_words.submitted(request, asked):
                messages.success(request, done % {"amount": shown.amounts(company).yuan(fen)})
            return redirect("company_budget", pk=found.pk)
    return _budget(request, _find(found.pk), bound=form, status=422)


def _budget(
    request: HttpRequest, found: Budget, *, bound: MoneyForm | None = None, status: int = 200
) -> HttpResponse:
    company = shown.company_of(request)
    show = shown.amounts(company)
    forms = {which: MoneyForm(company=company, prefix=which) for which in ("load", "return")}
    if lacking := request.GET.get("load", ""):
        forms["load"].initial["amount"] = shown.searched(lacking, limit=20)
    if bound is not None and bound.prefix:
        forms[bound.prefix] = bound
    context = {
        "section": "budgets",
        "row": _figures(found, overview.figures_of_budgets([found])[found.pk], show),
        "budget": found,
        "requests": approval_words.open_about(request, found),
        "categories": [category.name for category in Category.objects.filter(slug__in=found.categories)]
        if found.categories
        else [],
        "entries": [
            {"entry": entry, "amount": show.yuan(entry.fen)} for entry in overview.recent_entries(found)
        ],
        "grants": [
            {"grant": grant, "total": show.points(grant.total_fen)} for grant in found.grants.all()[:20]
        ],
        "unit": show.unit,
        "rate": show.rate,
        "funds": show.yuan(funds.available_fen(company.schema_name)),
        "load_form": forms["load"],
        "return_form": forms["return"],
        "may_change": may_change(request),
    }
    return render(request, "company/budget.html", context, status=status)
