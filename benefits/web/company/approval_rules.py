"""Who may do how much alone, who approves it, and who stands in for whom."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from benefits.approvals import limits, queries, standing
from benefits.approvals.limits import ANY_FEN, DECIDERS
from benefits.approvals.models import Delegation, Kind
from benefits.web.company import shown
from benefits.web.company.approval_forms import DelegationForm, LimitsForm
from benefits.web.company.budgets import READERS
from benefits.web.company.shown import Amounts
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.models import User
from tenants.identity.roles import LABELS, Role

PAGE = 30


@allow(*READERS)
def approval_limits(request: HttpRequest) -> HttpResponse:
    """The limits of each kind, for everybody to read."""
    return _limits(request)


@allow(Role.ADMIN)
@require_POST
def set_limits(request: HttpRequest, kind: str) -> HttpResponse:
    """Set the limits of a kind."""
    if kind not in Kind.values:
        raise Http404
    form = LimitsForm(
        request.POST, company=shown.company_of(request), rows=limits.read().rows.get(kind, {}), prefix=kind
    )
    if not form.is_valid():
        return _limits(request, bound=form, status=422)
    try:
        standing.set_limits(
            kind=kind,
            rows=form.rows(),
            actor=_user(request),
            at=timezone.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return _limits(request, bound=form, status=error.status)
    messages.success(request, _("The limits were saved."))
    return redirect("company_approval_limits")


def _limits(request: HttpRequest, *, bound: LimitsForm | None = None, status: int = 200) -> HttpResponse:
    company = shown.company_of(request)
    show, table = shown.amounts(company), limits.read()
    cards = []
    for kind, label in Kind.choices:
        form = LimitsForm(company=company, rows=table.rows.get(kind, {}), prefix=kind)
        cards.append(
            {
                "kind": kind,
                "label": label,
                "form": bound if bound is not None and bound.prefix == kind else form,
                "is_limited": table.is_limited(kind),
                "rows": [_line(table, kind, role, show) for role in DECIDERS],
            }
        )
    context = {
        "section": "approvals",
        "cards": cards,
        "may_set": _is_admin(request),
    }
    return render(request, "company/approval_limits.html", context, status=status)


def _line(table: limits.Limits, kind: str, role: Role, show: Amounts) -> dict[str, Any]:
    def words(fen: int) -> str:
        if fen == ANY_FEN:
            return _("any amount")
        return _("up to %(amount)s") % {"amount": show.yuan(fen)} if fen else _("nothing")

    return {
        "role": LABELS[role],
        "alone": words(table.alone_fen(kind, [role])) if role in limits.ASKERS else "—",
        "approves": words(table.approves_fen(kind, [role])),
    }


@allow(*READERS)
def delegations(request: HttpRequest) -> HttpResponse:
    """One's own stand-ins, or for an administrator everybody's; and a form for a new one."""
    if request.method != "POST":
        return _delegations(request, _form(request))
    form = _form(request, request.POST)
    if not form.is_valid():
        return _delegations(request, form, status=422)
    try:
        made = standing.delegate(
            **form.cleaned_data,
            actor=_user(request),
            at=timezone.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return _delegations(request, form, status=error.status)
    messages.success(
        request,
        _("%(name)s decides for %(absent)s on these days.")
        % {"name": made.to_user, "absent": made.from_user},
    )
    return redirect("company_delegations")


@allow(*READERS)
@require_POST
def end_delegation(request: HttpRequest, pk: int) -> HttpResponse:
    """End a delegation now."""
    found = get_object_or_404(_visible(request), pk=pk)
    standing.end_delegation(delegation=found, actor=_user(request), at=timezone.now())
    messages.success(request, _("The delegation has ended."))
    return redirect("company_delegations")


def _user(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # the access rules let nobody else in
    return user


def _is_admin(request: HttpRequest) -> bool:
    return Role.ADMIN in _user(request).roles


def _visible(request: HttpRequest) -> QuerySet[Delegation]:
    found = queries.delegations()
    return found if _is_admin(request) else found.filter(from_user=_user(request))


def _form(request: HttpRequest, posted: Any = None) -> DelegationForm:
    staff = queries.staff()
    absent = staff if _is_admin(request) else staff.filter(pk=_user(request).pk)
    return DelegationForm(
        posted,
        company=shown.company_of(request),
        absent=absent,
        stand_ins=staff.exclude(pk=_user(request).pk),
        initial={"from_user": _user(request).pk},
    )


def _delegations(request: HttpRequest, form: DelegationForm, *, status: int = 200) -> HttpResponse:
    today = timezone.localdate()
    page = Paginator(_visible(request), PAGE).get_page(request.GET.get("page"))
    taken = queries.in_force(today).filter(to_user=_user(request)).select_related("from_user")
    context = {
        "section": "approvals",
        "form": form,
        "is_admin": _is_admin(request),
        "acting_for": [one.from_user for one in taken],
        "page": page,
        "rows": [{"one": one, "state": _state(one, today)} for one in page],
    }
    return render(request, "company/delegations.html", context, status=status)


def _state(one: Delegation, today: Any) -> str:
    if one.ended_at is not None or one.to_date < today:
        return "over"
    return "ahead" if one.from_date > today else "now"
