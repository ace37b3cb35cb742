"""Budgets: list, open, revise, load from the company's funds, return to them, move between, close."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from benefits.approvals import operations as approvals
from benefits.approvals.models import Kind
from benefits.funds import queries as funds
from benefits.points import budgets as terms
from benefits.points import operations, overview, queries
from benefits.points.figures import BudgetFigures
from benefits.points.models import Budget
from benefits.web.company import approval_words, budget_shown, shown
from benefits.web.company.forms import CompanyForm, MoneyForm
from benefits.web.company.money_forms import BudgetForm, MoveForm, terms_of
from benefits.web.company.shown import Amounts
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

PAGE = 20
READERS = (Role.HR, Role.ADMIN, Role.APPROVER, Role.FINANCE)


@allow(*READERS)
def budgets(request: HttpRequest) -> HttpResponse:
    """Budgets in use, or those that are over or closed, with their figures."""
    company = shown.company_of(request)
    show = shown.amounts(company)
    past = request.GET.get("show") == "past"
    page = Paginator(_in_use(past=past), PAGE).get_page(request.GET.get("page"))
    found = list(page)
    figures = overview.figures_of_budgets(found)
    context = {
        "section": "budgets",
        "page": page,
        "rows": [_figures(budget, figures[budget.pk], show) for budget in found],
        "past": past,
        "unit": show.unit,
        "funds": show.yuan(funds.available_fen(company.schema_name)),
        "may_change": may_change(request),
    }
    return render(request, "company/budgets.html", context)


def _in_use(*, past: bool) -> QuerySet[Budget]:
    over = Q(status=Budget.Status.CLOSED) | Q(to_date__lt=timezone.localdate())
    rows = queries.budgets().order_by("-id")
    return rows.filter(over) if past else rows.exclude(over)


def may_change(request: HttpRequest) -> bool:
    """Whether the reader may also move value."""
    return bool({Role.HR, Role.ADMIN} & request.user.roles)  # type: ignore[union-attr]


def _figures(budget: Budget, figures: BudgetFigures, show: Amounts) -> dict[str, Any]:
    percent = figures.percent_used
    return {
        "budget": budget,
        "loaded": show.points(figures.whole_fen),
        "loaded_yuan": show.yuan(figures.whole_fen),
        "left": show.points(figures.left_fen),
        "left_yuan": show.yuan(figures.left_fen),
        "granted": show.points(figures.granted_fen),
        "in_wallets": show.points(figures.in_wallets_fen),
        "held": show.points(figures.held_fen),
        "delivered": show.points(figures.delivered_fen),
        "percent": percent,
        "is_low": 80 <= percent < 100,
        "is_used_up": percent >= 100,
        "is_over": budget_shown.is_over(budget),
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
    context = {"section": "budgets", "form": form}
    return render(request, "company/budget_new.html", context, status=422 if form.errors else 200)


@allow(Role.HR, Role.ADMIN)
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a budget's terms."""
    found = _find(pk)
    form = BudgetForm(
        request.POST or None, company=shown.company_of(request), budget=found, initial=terms_of(found)
    )
    if request.method == "POST" and form.is_valid():
        try:
            terms.revise_budget(
                budget=found,
                **form.cleaned_data,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("company_budget", pk=found.pk)
    context = {"section": "budgets", "form": form, "budget": found}
    return render(request, "company/budget_edit.html", context, status=422 if form.errors else 200)


@allow(*READERS)
def budget(request: HttpRequest, pk: int) -> HttpResponse:
    """One budget: figures, loads, grants."""
    return _budget(request, _find(pk))


@allow(Role.HR, Role.ADMIN)
@require_POST
def load(request: HttpRequest, pk: int) -> HttpResponse:
    """Move money from the company's funds into the budget."""
    form = MoneyForm(request.POST, company=shown.company_of(request), prefix="load")
    return _act(request, _find(pk), Kind.LOAD, form, _("%(amount)s were loaded."))


@allow(Role.HR, Role.ADMIN)
@require_POST
def give_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Return money from the budget to the company's funds."""
    form = MoneyForm(request.POST, company=shown.company_of(request), prefix="return")
    return _act(request, _find(pk), Kind.RETURN, form, _("%(amount)s were returned to the funds."))


@allow(Role.HR, Role.ADMIN)
@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Move money from the budget to another."""
    found = _find(pk)
    form = MoveForm(request.POST, company=shown.company_of(request), prefix="move", budget=found)
    return _act(request, found, Kind.MOVE, form, _("%(amount)s were moved to the other budget."))


@allow(Role.HR, Role.ADMIN)
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close the budget for good; what it holds goes where its terms say."""
    found = _find(pk)
    kind = Kind.MOVE if found.carry_to_id else Kind.RETURN
    try:
        approvals.refuse_above_limit(
            kind=kind,
            fen=found.account.balance_fen or 0,
            actor=request.user,  # type: ignore[arg-type]
        )
        terms.close_budget(budget=found, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    except DomainError as error:
        messages.error(request, shown.refusal(error, shown.company_of(request)))
    else:
        messages.success(request, _("The budget “%(name)s” is closed.") % {"name": found.name})
    return redirect("company_budget", pk=found.pk)


def _find(pk: int) -> Budget:
    rows = Budget.objects.filter(purpose=Budget.Purpose.COMPANY)
    return get_object_or_404(rows.select_related("account", "carry_to"), pk=pk)


def _act(request: HttpRequest, found: Budget, kind: Kind, form: CompanyForm, done: str) -> HttpResponse:
    company = shown.company_of(request)
    if form.is_valid():
        fen = form.cleaned_data["amount"]
        try:
            asked = approvals.submit(
                kind=kind,
                subject=found,
                fen=fen,
                request_key=form.cleaned_data["request_key"],
                details={"to": form.cleaned_data["target"].pk} if kind == Kind.MOVE else {},
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
    request: HttpRequest, found: Budget, *, bound: CompanyForm | None = None, status: int = 200
) -> HttpResponse:
    company = shown.company_of(request)
    show = shown.amounts(company)
    figures = overview.figures_of_budgets([found])[found.pk]
    forms: dict[str, CompanyForm] = {
        which: MoneyForm(company=company, prefix=which) for which in ("load", "return")
    }
    forms["move"] = MoveForm(company=company, prefix="move", budget=found)
    if lacking := request.GET.get("load", ""):
        forms["load"].initial["amount"] = shown.searched(lacking, limit=20)
    if bound is not None and bound.prefix:
        forms[bound.prefix] = bound
    context = {
        "section": "budgets",
        "row": _figures(found, figures, show),
        "budget": found,
        "requests": approval_words.open_about(request, found),
        "parts": budget_shown.parts(figures, show),
        "sums": budget_shown.sums(figures, show),
        "alerts": budget_shown.alerts(found, figures, show, at=timezone.now()),
        "forecast": budget_shown.forecast(found, figures, at=timezone.now()),
        "terms": budget_shown.terms(found),
        "entries": budget_shown.entries(found, show),
        "grants": [
            {"grant": grant, "total": show.points(grant.total_fen)} for grant in found.grants.all()[:20]
        ],
        "unit": show.unit,
        "rate": show.rate,
        "funds": show.yuan(funds.available_fen(company.schema_name)),
        "load_form": forms["load"],
        "return_form": forms["return"],
        "move_form": forms["move"],
        "may_change": may_change(request),
        "asks": "close" if request.GET.get("form") == "close" else "",
    }
    return render(request, "company/budget.html", context, status=status)
