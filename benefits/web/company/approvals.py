"""Second signatures: what waits for the reader, what the reader asked for, and one request to decide."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from benefits import tasks
from benefits.approvals import kinds, operations, queries
from benefits.approvals.models import Approval, Kind
from benefits.campaigns.models import Rehearsal
from benefits.points.models import Account, Budget
from benefits.web.company import approval_words, shown
from benefits.web.company.approval_forms import NoteForm
from benefits.web.company.budgets import READERS, may_change
from benefits.web.company.shown import Amounts
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.models import User

PAGE = 30
HOME = 3
MINE, ASKED, OPEN, CLOSED = "mine", "asked", "open", "decided"
TABS = {
    MINE: gettext_lazy("Waiting for you"),
    ASKED: gettext_lazy("Asked by you"),
    OPEN: gettext_lazy("All that wait"),
    CLOSED: pgettext_lazy("approvals", "Decided"),
}
EMPTY = {
    MINE: gettext_lazy("What somebody may not do alone appears here as soon as you may decide it."),
    ASKED: gettext_lazy("What you ask for above your limit appears here, with who may decide it."),
    OPEN: gettext_lazy("Nothing waits for anybody."),
    CLOSED: gettext_lazy("What was approved, refused, withdrawn or lapsed stays here."),
}
Status = Approval.Status


def _user(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # the access rules let nobody else in
    return user


@allow(*READERS)
@never_cache
def approvals(request: HttpRequest) -> HttpResponse:
    """Requests by what they are to the reader, with a filter by kind."""
    user, at = _user(request), timezone.now()
    mine = queries.waiting_for(user, at)
    lists: dict[str, QuerySet[Approval]] = {
        MINE: mine,
        ASKED: queries.asked_by(user),
        OPEN: queries.waiting(at),
        CLOSED: queries.approvals().exclude(status=Status.WAITING),
    }
    chosen = request.GET.get("show", MINE)
    chosen = chosen if chosen in lists else MINE
    kind = request.GET.get("kind", "")
    found = lists[chosen].filter(kind=kind) if kind in Kind.values else lists[chosen]
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    counts = {MINE: mine.count(), OPEN: lists[OPEN].count()}
    context = {
        "section": "approvals",
        "tabs": [
            {
                "href": f"?show={name}",
                "label": label,
                "is_current": name == chosen,
                "count": counts.get(name, ""),
            }
            for name, label in TABS.items()
        ],
        "kinds": [
            {"href": f"?show={chosen}&kind={value}", "label": label, "is_current": value == kind}
            for value, label in Kind.choices
        ],
        "all_href": f"?show={chosen}",
        "is_all": kind not in Kind.values,
        "page": page,
        "rows": approval_words.rows(request, list(page)),
        "empty": EMPTY[chosen],
        "is_decided": chosen == CLOSED,
        "is_asked": chosen == ASKED,
    }
    return render(request, "company/approvals.html", context)


@allow(*READERS)
@never_cache
def approval(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what, how much, who asks, what it changes, and the decision."""
    return _approval(request, _find(pk))


@allow(*READERS)
@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve, and carry out at once what is quick; a worker does the rest."""
    found, form = _find(pk), NoteForm(request.POST, company=shown.company_of(request))
    if not form.is_valid():
        return _approval(request, found, form=form, status=422)
    try:
        found = operations.approve(
            approval=found, note=form.cleaned_data["note"], actor=_user(request), at=timezone.now()
        )
    except DomainError as error:
        return _refused(request, pk, error)
    if kinds.WAYS[found.kind].is_quick:
        found = operations.carry_out(approval=found, at=timezone.now())
    else:
        tasks.ring_approval(shown.company_of(request).schema_name, approval_id=found.pk)
    if found.status == Status.DONE:
        messages.success(request, _("Approved and carried out."))
    elif found.status == Status.APPROVED:
        messages.success(request, _("Approved. It is being carried out."))
    return redirect("company_approval", pk=pk)


@allow(*READERS)
@require_POST
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse; whoever asked reads why."""
    found, form = _find(pk), NoteForm(request.POST, company=shown.company_of(request), needs_note=True)
    if not form.is_valid():
        return _approval(request, found, form=form, status=422)
    try:
        operations.refuse(
            approval=found, note=form.cleaned_data["note"], actor=_user(request), at=timezone.now()
        )
    except DomainError as error:
        return _refused(request, pk, error)
    messages.success(request, _("Refused. Nothing was moved."))
    return redirect("company_approval", pk=pk)


@allow(*READERS)
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what one asked for oneself."""
    try:
        operations.withdraw(approval=_find(pk), actor=_user(request), at=timezone.now())
    except DomainError as error:
        return _refused(request, pk, error)
    messages.success(request, _("Withdrawn. Nothing was moved."))
    return redirect("company_approval", pk=pk)


def _find(pk: int) -> Approval:
    return get_object_or_404(queries.approvals(), pk=pk)


def _refused(request: HttpRequest, pk: int, error: DomainError) -> HttpResponse:
    message = shown.refusal(error, shown.company_of(request))
    return _approval(request, _find(pk), error=message, status=error.status)


def _approval(
    request: HttpRequest,
    found: Approval,
    *,
    form: NoteForm | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    company, user, at = shown.company_of(request), _user(request), timezone.now()
    show = shown.amounts(company)
    bench = queries.bench(at)
    is_waiting = found.status == Status.WAITING and at < found.due_at
    decider = bench.decider(found, user) if is_waiting else None
    context = {
        "section": "approvals",
        "row": approval_words.rows(request, [found], bench)[0],
        "one": found,
        "form": form or NoteForm(company=company),
        "error": error,
        "points": show.with_unit(found.fen) if found.kind != Kind.RULE else "",
        "subject_href": approval_words.address_of_subject(found),
        "changes": _changes(found, show) if is_waiting else [],
        "people": found.details.get("people"),
        "decider": decider,
        "is_waiting": is_waiting,
        "is_overdue": found.status == Status.WAITING and not is_waiting,
        "is_mine": found.asked_by_id == user.pk,
        "may_withdraw": found.asked_by_id == user.pk and found.status == Status.WAITING,
        "is_running": found.status == Status.APPROVED,
        "timeline": _timeline(found),
    }
    return render(request, "company/approval.html", context, status=status)


def _changes(found: Approval, show: Amounts) -> list[dict[str, str]]:
    """What each budget holds now, and would hold afterwards."""
    steps = {Kind.LOAD: 1, Kind.RETURN: -1, Kind.MOVE: -1, Kind.GRANT: -1}
    if found.kind not in steps:
        return []
    pk = int(found.subject.partition(":")[2])
    if found.kind == Kind.GRANT:
        pk = Rehearsal.objects.filter(pk=pk).values_list("version__budget", flat=True).first() or 0
    moved = [(pk, steps[Kind(found.kind)] * found.fen)]
    if found.kind == Kind.MOVE:
        moved.append((found.details["to"], found.fen))
    budgets = Budget.objects.select_related("account").in_bulk([one for one, _fen in moved])
    return [
        _change(budgets[one].name, budgets[one].account, fen, show) for one, fen in moved if one in budgets
    ]


def _change(name: str, account: Account, fen: int, show: Amounts) -> dict[str, str]:
    before = account.balance_fen or 0
    return {
        "name": name,
        "before": show.yuan(before),
        "after": show.yuan(before + fen),
        "is_short": "1" if before + fen < 0 else "",
    }


def _timeline(found: Approval) -> list[dict[str, Any]]:
    entries = [
        {
            "title": _("%(name)s asked") % {"name": found.asked_by},
            "at": _moment(found.asked_at),
            "detail": "",
            "state": "done",
        }
    ]
    if found.decided_by:
        said = _("%(who)s refused") if found.status == Status.REFUSED else _("%(who)s approved")
        entries.append(
            {
                "title": said % {"who": approval_words.decided_by(found)},
                "at": _moment(found.decided_at),
                "detail": found.note,
                "state": "bad" if found.status == Status.REFUSED else "done",
            }
        )
    last = {
        Status.WAITING: (_("A decision"), "todo"),
        Status.APPROVED: (_("Being carried out"), "current"),
        Status.DONE: (_("Carried out"), "done"),
        Status.FAILED: (_("Could not be carried out"), "bad"),
        Status.WITHDRAWN: (_("%(name)s withdrew it") % {"name": found.asked_by}, "returned"),
        Status.LAPSED: (_("Lapsed without a decision"), "bad"),
    }
    if step := last.get(Status(found.status)):
        entries.append(
            {
                "title": step[0],
                "at": _moment(found.closed_at),
                "detail": approval_words.failure(found) if found.failure else "",
                "state": step[1],
            }
        )
    return entries


def _moment(at: Any) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


def on_home(request: HttpRequest) -> dict[str, Any]:
    """For the first page of the console: what waits for the reader, and what of the reader's waits for whom."""
    user, at = _user(request), timezone.now()
    if not queries.waiting(at).exists():
        return {}
    mine = list(queries.waiting_for(user, at))
    asked = list(queries.waiting(at).filter(asked_by=user)[:HOME]) if may_change(request) else []
    if not mine and not asked:
        return {}
    bench = queries.bench(at)
    return {
        "count": len(mine),
        "mine": approval_words.rows(request, mine[:HOME], bench),
        "asked": approval_words.rows(request, asked, bench),
    }
