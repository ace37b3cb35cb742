"""Grants: who, how much, from which budget; shown before it happens, then done in one act."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from benefits import money
from benefits.approvals import limits
from benefits.approvals.models import Kind
from benefits.campaigns import operations as campaigns
from benefits.campaigns import queries as rehearsals
from benefits.campaigns.definition import Amount, Expiry
from benefits.campaigns.definition import Audience as Whom
from benefits.campaigns.models import Rehearsal
from benefits.people.models import Employee
from benefits.points import days, operations, overview, queries
from benefits.points import recall as recalls
from benefits.points.models import Budget, Grant
from benefits.points.operations import Audience
from benefits.roster import lists
from benefits.roster import queries as rosters
from benefits.roster.listing import Amount as Listed
from benefits.web.company import rehearsal_page, shown
from benefits.web.company.budgets import READERS, may_change
from benefits.web.company.forms import GrantForm
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

PAGE = 30
UNFINISHED = ("made", "waiting", "running", "failed")
SAMPLE = 8
MOST_CHOSEN = 500
SENT_SECONDS = 3600  # within which the same page sent again leads to the same rehearsal


@allow(*READERS)
def grants(request: HttpRequest) -> HttpResponse:
    """All grants, the newest first."""
    show = shown.amounts(shown.company_of(request))
    page = Paginator(queries.grants(), PAGE).get_page(request.GET.get("page"))
    context = {
        "section": "grants",
        "page": page,
        "rows": [
            {
                "grant": grant,
                "total": show.points(grant.total_fen),
                "audience": audience_words(grant),
                "last_day": days.last_day(grant.expires_at) if grant.expires_at else None,
            }
            for grant in page
        ],
        "unfinished": rehearsal_page.table(_unfinished()[:PAGE], show),
        "unit": show.unit,
        "may_change": may_change(request),
    }
    return render(request, "company/grants.html", context)


def _unfinished() -> QuerySet[Rehearsal]:
    """Single grants that were rehearsed and are not handed out yet."""
    return rehearsals.rehearsals().filter(rule__is_single=True, status__in=UNFINISHED)


def audience_words(grant: Grant) -> str:
    """Whom a grant was for, in a word."""
    audience = grant.audience
    if audience.get("everyone"):
        return _("everyone")
    if audience.get("departments"):
        return shown.joined(audience["departments"])
    return _("a list")


@allow(*READERS)
def grant(request: HttpRequest, pk: int) -> HttpResponse:
    """One grant and what each employee got."""
    show = shown.amounts(shown.company_of(request))
    found = get_object_or_404(queries.grants(), pk=pk)
    page = Paginator(overview.lots_of_grant(found), 50).get_page(request.GET.get("page"))
    context = {
        "section": "grants",
        "grant": found,
        "total": show.points(found.total_fen),
        "audience": audience_words(found),
        "last_day": days.last_day(found.expires_at) if found.expires_at else None,
        "page": page,
        "rows": [
            {
                "employee": lot.wallet.employee,
                "granted": show.points(lot.granted_fen),
                "left": show.points(lot.remaining_fen),
            }
            for lot in page
        ],
        "unit": show.unit,
        "may_recall": may_change(request)
        and found.status == Grant.Status.DONE
        and found.lots.filter(remaining_fen__gt=0).exists(),
    }
    return render(request, "company/grant.html", context)


@allow(Role.HR, Role.ADMIN)
def recall(request: HttpRequest, pk: int) -> HttpResponse:
    """What is unused of a grant: looked at first, then taken back to its budget."""
    show = shown.amounts(shown.company_of(request))
    found = get_object_or_404(queries.grants(), pk=pk)
    if request.method == "POST":
        fen = recalls.recall_grant(grant=found, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
        messages.success(
            request,
            _("%(total)s went back to the budget “%(budget)s”.")
            % {"total": show.with_unit(fen), "budget": found.budget.name},
        )
        return redirect("company_grant", pk=pk)
    unused = recalls.recallable(found)
    context = {
        "section": "grants",
        "grant": found,
        "found": unused,
        "fen": show.points(unused.fen),
        "of_fen": show.points(unused.of_fen),
        "yuan": show.yuan(unused.fen),
        "unit": show.unit,
    }
    return render(request, "company/grant_recall.html", context)


@allow(Role.HR, Role.ADMIN)
def new(request: HttpRequest) -> HttpResponse:
    """Three steps of one form: fill in, look at what will happen, confirm. Each works without script."""
    company = shown.company_of(request)
    if request.method != "POST":
        return _form(request, GrantForm(company=company, initial=_initial(request.GET)))
    form = GrantForm(request.POST, request.FILES, company=company)
    if "change" in request.POST:
        return _form(request, GrantForm(company=company, initial=_typed(request.POST)))
    if not form.is_valid():
        return _form(request, form, status=422)
    try:
        rows = _rows(form)
        audience = _audience(form, rows)
        fen = form.cleaned_data["points"]
        amounts = operations.amounts_of(audience, fen=fen)
        total = sum(amount for _wallet, amount in amounts)
        if request.POST.get("confirm") == f"{len(amounts)}:{total}":
            if _goes_in_steps(request, len(amounts), total):
                return _rehearsed(request, form, audience, fen)
            return _done(request, form, audience, fen)
    except DomainError as error:
        form.refuse(error)
        return _form(request, form, status=422)
    return _preview(request, form, rows, amounts, total)


def _initial(chosen: QueryDict) -> dict[str, Any]:
    initial: dict[str, Any] = {}
    if numbers := [shown.searched(number) for number in chosen.getlist("no")[:MOST_CHOSEN]]:
        initial |= {"whom": GrantForm.LIST, "listing": "\n".join(numbers)}
    if (number := chosen.get("import", "")).isdecimal():
        found = rosters.points(rosters.find_import(int(number[:9])))
        lines = "\n".join(f"{employee_no}\t{points}" for employee_no, points in found)
        initial |= {"whom": GrantForm.LIST, "listing": lines}
    if department := shown.searched(chosen.get("department", ""), limit=200):
        initial |= {"whom": GrantForm.DEPARTMENTS, "departments": [department]}
    if chosen.get("budget", "").isdecimal():
        initial["budget"] = int(chosen.get("budget", "")[:9])
    return initial


def _typed(posted: QueryDict) -> dict[str, Any]:
    single = ("budget", "whom", "listing", "points", "reason", "expires", "request_key")
    return {**{name: posted.get(name, "") for name in single}, "departments": posted.getlist("departments")}


def _rows(form: GrantForm) -> list[Listed]:
    data = form.cleaned_data
    if data["whom"] != GrantForm.LIST:
        return []
    if not data["file"]:
        return lists.of_text(data["listing"])
    return lists.of_upload(data["file"])


def _audience(form: GrantForm, rows: list[Listed]) -> Audience:
    data = form.cleaned_data
    if data["whom"] == GrantForm.ALL:
        return Audience(everyone=True)
    if data["whom"] == GrantForm.DEPARTMENTS:
        return Audience(departments=tuple(data["departments"]))
    amounts = lists.amounts(rows, rate=form.company.points_per_yuan, fen=data["points"])
    if not amounts:
        raise lists.UnreadableList(reason=_("The list holds no employee number."))
    return Audience(amounts=amounts)


def _goes_in_steps(request: HttpRequest, people: int, fen: int) -> bool:
    """Whether a grant is too large for one act, or for one person: then it is rehearsed, and handed out in steps."""
    roles = request.user.roles  # type: ignore[union-attr]
    return people > settings.GRANT_AT_ONCE or not limits.read().does_alone(Kind.GRANT, roles, fen)


def _rehearsed(request: HttpRequest, form: GrantForm, audience: Audience, fen: int) -> HttpResponse:
    data = form.cleaned_data
    at = timezone.now()
    sent = f"grant-rehearsed:{data['request_key']}"
    pk = cache.get(sent)
    if pk is None:
        made = campaigns.once(
            name=data["reason"],
            budget=data["budget"],
            audience=Whom(
                everyone=audience.everyone, departments=audience.departments, numbers=audience.amounts
            ),
            amount=Amount(fen=0 if audience.amounts else fen),
            expiry=Expiry("date", day=data["expires"]) if data["expires"] else Expiry(),
            day=timezone.localdate(at),
            actor=request.user,  # type: ignore[arg-type]
            at=at,
        )
        pk = made.pk
        cache.set(sent, pk, SENT_SECONDS)
    return redirect("company_rehearsal", pk=pk)


def _done(request: HttpRequest, form: GrantForm, audience: Audience, fen: int) -> HttpResponse:
    data = form.cleaned_data
    made = operations.grant(
        budget=data["budget"],
        audience=audience,
        fen=fen,
        reason=data["reason"],
        expires_at=days.end_of(data["expires"]) if data["expires"] else None,
        request_key=data["request_key"],
        actor=request.user,  # type: ignore[arg-type]
        at=timezone.now(),
    )
    messages.success(
        request,
        ngettext(
            "%(total)s were granted to %(count)d employee.",
            "%(total)s were granted to %(count)d employees.",
            made.employees,
        )
        % {"total": shown.amounts(form.company).with_unit(made.total_fen), "count": made.employees},
    )
    return redirect("company_grant", pk=made.pk)


def _form(request: HttpRequest, form: GrantForm, *, status: int = 200) -> HttpResponse:
    show = shown.amounts(form.company)
    context = {
        "section": "grants",
        "form": form,
        "unit": show.unit,
        "rate": show.rate,
        "headcount": Employee.objects.filter(status=Employee.Status.ACTIVE).count(),
        "has_budget": form.fields["budget"].queryset.exists(),  # type: ignore[attr-defined]
        "steps": [_("Fill in"), _("Check"), _("Done")],
    }
    return render(request, "company/grant_new.html", context, status=status)


def _preview(
    request: HttpRequest,
    form: GrantForm,
    rows: list[Listed],
    amounts: list[tuple[int, int]],
    total: int,
) -> HttpResponse:
    show = shown.amounts(form.company)
    data = form.cleaned_data
    budget: Budget = data["budget"]
    left = budget.account.balance_fen or 0
    by_wallet = dict(amounts[:SAMPLE])
    sample = Employee.objects.filter(wallet__in=by_wallet).select_related("department", "wallet")
    context = {
        "section": "grants",
        "steps": [_("Fill in"), _("Check"), _("Done")],
        "data": data,
        "budget": budget,
        "count": len(amounts),
        "total": show.points(total),
        "total_yuan": show.yuan(total),
        "left": show.points(left),
        "after": show.points(left - total),
        "is_short": total > left,
        "lacking": show.yuan(total - left),
        "lacking_field": money.yuan(max(0, total - left)),
        "each": show.points(data["points"]) if data["whom"] != GrantForm.LIST else "",
        "sample": [{"employee": one, "amount": show.points(by_wallet[one.wallet.pk])} for one in sample],
        "more": max(0, len(amounts) - SAMPLE),
        "unit": show.unit,
        "confirm": f"{len(amounts)}:{total}",
        "was_other": "confirm" in request.POST,
        "in_steps": _goes_in_steps(request, len(amounts), total),
        "hidden": _hidden(form, rows),
    }
    return render(request, "company/grant_preview.html", context)


def _hidden(form: GrantForm, rows: list[Listed]) -> list[tuple[str, str]]:
    """What the next step needs to know again; a file has become lines by now."""
    typed = _typed(form.data)  # type: ignore[arg-type]
    typed["listing"] = "\n".join(
        number if points is None else f"{number}\t{lists.plain(points)}" for _row, number, points in rows
    )
    departments = typed.pop("departments")
    return [*typed.items(), *(("departments", path) for path in departments)]
