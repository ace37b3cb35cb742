"""What the page of a rehearsal shows: figures, people, departments, and how far the handing out is."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from benefits import money
from benefits.approvals import limits
from benefits.approvals import queries as requests
from benefits.approvals.models import Approval, Kind
from benefits.campaigns import queries
from benefits.campaigns.models import Rehearsal
from benefits.campaigns.operations.committing import DAYS_BACK
from benefits.campaigns.queries import GETS, LEFT_OUT
from benefits.points.models import Account
from benefits.web.company import rule_words, shown
from benefits.web.company.budgets import may_change
from benefits.web.company.shown import Amounts
from tenants import audit
from tenants.errors import DomainError

ROWS = 50
BARS = 12
Status = Rehearsal.Status
OPEN = (Status.MADE, Status.FAILED)
TONES = {
    Status.MADE: "warn",
    Status.WAITING: "warn",
    Status.RUNNING: "info",
    Status.DONE: "ok",
    Status.FAILED: "bad",
    Status.DROPPED: "neutral",
    Status.STALE: "neutral",
}
REASONS = {
    "not_due": gettext_lazy("not due on this day"),
    "already_given": gettext_lazy("has had it for this occasion"),
    "left": gettext_lazy("has left the company"),
    "no_amount": gettext_lazy("the rule has no amount for them"),
    "no_day": gettext_lazy("the roster does not hold the day that it needs"),
    "no_wallet": gettext_lazy("has no wallet"),
    "not_in_audience": gettext_lazy("not among those it is for"),
}


def table(found: Iterable[Rehearsal], show: Amounts) -> list[dict[str, Any]]:
    """Rehearsals as rows of a table."""
    return [
        {
            "one": one,
            "name": one.rule.name,
            "tone": TONES[Status(one.status)],
            "reason": failure(one, show) if one.status == Status.FAILED else "",
            "made_by": by(one.made_by),
            "people": f"{one.people:,}",
            "cost": show.points(one.total_fen),
        }
        for one in found
    ]


def by(who: str) -> str:
    """Who made it, for people."""
    return _("the calendar") if who == audit.SYSTEM else who


def failure(one: Rehearsal, show: Amounts) -> str:
    """Why it could not be handed out, in the reader's language."""
    code, details = one.failure.get("code", ""), one.failure.get("details", {})
    for kind in _errors(DomainError):
        if kind.code == code:
            error = kind.__new__(kind)
            DomainError.__init__(error, **details)
            return shown.refusal_in(error, show)
    return str(code)


def _errors(kind: type[DomainError]) -> Iterable[type[DomainError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _errors(below)


def about(
    request: HttpRequest, found: Rehearsal, *, is_stale: bool = False, error: str = ""
) -> dict[str, Any]:
    """Everything on the page."""
    show = shown.amounts(shown.company_of(request))
    state = Status(found.status)
    budget = found.version.budget
    balance = Account.objects.values_list("balance_fen", flat=True).get(pk=budget.account_id) or 0
    lacking = max(0, found.total_fen - balance)
    is_open = state in OPEN and not is_stale
    why_not = _why_not(found)
    return {
        "section": "grants" if found.rule.is_single else "rules",
        "one": found,
        "rule": found.rule,
        "budget": budget,
        "title": _("%(rule)s on %(day)s") % {"rule": found.rule.name, "day": found.day.isoformat()},
        "tone": TONES[state],
        "error": error,
        "failure": failure(found, show) if state == Status.FAILED else "",
        "asked": open_request(found),
        "is_short": is_open and lacking > 0,
        "lacking": show.yuan(lacking),
        "lacking_field": money.yuan(lacking),
        "expiry": rule_words.expiry(found.version.definition_of().expiry),
        "made_by": by(found.made_by),
        "total": show.points(found.total_fen),
        "people": found.people,
        "unit": show.unit,
        "request_key": uuid4(),
        "may_change": may_change(request),
        "may_commit": may_change(request) and is_open,
        "why_not": why_not,
        "can_hand_out": not why_not and not lacking,
        "needs_approval": is_open and not _does_alone(request, found),
        **_standing(state, is_stale=is_stale),
        **_departments(found, show),
        **_people(request, found, show),
        "counters": _counters(request, found, show, balance if is_open else None),
        **(progress(found, at=timezone.now()) if state == Status.RUNNING else {}),
    }


def _standing(state: Status, *, is_stale: bool) -> dict[str, bool]:
    """Which notice stands on top."""
    return {
        "is_stale": is_stale or state == Status.STALE,
        "is_waiting": state == Status.WAITING,
        "is_running": state == Status.RUNNING,
        "is_done": state == Status.DONE,
    }


def open_request(found: Any) -> Approval | None:
    """The request about a rehearsal or rule that somebody still has to decide or carry out."""
    about = f"{found._meta.label_lower}:{found.pk}"
    still = (Approval.Status.WAITING, Approval.Status.APPROVED)
    return requests.of_subject(about).filter(status__in=still).first()


def _does_alone(request: HttpRequest, found: Rehearsal) -> bool:
    roles = request.user.roles  # type: ignore[union-attr]
    return limits.read().does_alone(Kind.GRANT, roles, found.total_fen)


def _why_not(found: Rehearsal) -> str:
    """Why this rehearsal cannot be handed out, known before anybody tries."""
    if not found.people:
        return _("Nobody gets anything on this day, so there is nothing to hand out.")
    ago = (timezone.localdate() - found.day).days
    if ago < 0:
        return _("This day has not come yet. Rehearse the rule again on that day to hand out.")
    if ago > DAYS_BACK:
        return ngettext(
            "This day is more than %(days)d day ago, so it can no longer be handed out.",
            "This day is more than %(days)d days ago, so it can no longer be handed out.",
            DAYS_BACK,
        ) % {"days": DAYS_BACK}
    if found.rule.status != found.rule.Status.ACTIVE:
        return _("The rule is not active. Activate it, then hand out.")
    return ""


def _departments(found: Rehearsal, show: Amounts) -> dict[str, Any]:
    rows = sorted(queries.by_department(found), key=lambda row: -row[2])
    most = rows[0][2] if rows else 0
    bars = [
        {
            "label": name or _("without a department"),
            "value": fen,
            "max": most,
            "text": ngettext("%(amount)s · %(people)d person", "%(amount)s · %(people)d people", people)
            % {"amount": show.points(fen), "people": people},
        }
        for name, people, fen in rows[:BARS]
    ]
    return {"departments": bars, "departments_more": max(0, len(rows) - BARS)}


def _people(request: HttpRequest, found: Rehearsal, show: Amounts) -> dict[str, Any]:
    is_left_out = request.GET.get("show") == LEFT_OUT
    chosen = LEFT_OUT if is_left_out else GETS
    q, reason = shown.searched(request.GET.get("q", "")), request.GET.get("reason", "")
    rows = queries.rows(found, search=q, show=chosen)
    if not is_left_out:
        rows = rows.filter(reason="")  # the same people; said so that the index by reason and number serves
    elif reason in REASONS:
        rows = rows.filter(reason=reason)
    page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    return {
        "show": chosen,
        "q": q,
        "is_left_out": is_left_out,
        "reasons": [
            {
                "code": code,
                "label": _("%(reason)s (%(count)s)")
                % {"reason": REASONS.get(code, code), "count": f"{count:,}"},
                "is_current": code == reason,
            }
            for code, count in found.counts.items()
            if code != "not_in_audience"
        ],
        "outside": found.counts.get("not_in_audience", 0),
        "page": page,
        "rows": [_row(row, show) for row in page],
    }


def _row(row: Any, show: Amounts) -> dict[str, Any]:
    return {
        "number": row.employee_no,
        "name": row.name or "",
        "department": row.department,
        "amount": show.points(row.fen),
        "reason": REASONS.get(row.reason, row.reason),
    }


def _counters(
    request: HttpRequest, found: Rehearsal, show: Amounts, balance: int | None
) -> list[dict[str, Any]]:
    """How many get something, who is left out, the cost; while it is open also what the budget would hold."""
    is_left_out = request.GET.get("show") == LEFT_OUT
    counters: list[dict[str, Any]] = [
        {
            "value": f"{found.people:,}",
            "label": _("get something"),
            "href": f"?show={GETS}",
            "is_current": not is_left_out,
        },
        {
            "value": f"{sum(found.counts.values()):,}",
            "label": _("left out"),
            "href": f"?show={LEFT_OUT}",
            "is_current": is_left_out,
        },
        {"value": show.points(found.total_fen), "label": _("cost"), "note": show.yuan(found.total_fen)},
    ]
    if balance is not None:
        after = balance - found.total_fen
        counters += [
            {
                "value": show.points(balance),
                "label": _("in the budget now"),
                "note": found.version.budget.name,
            },
            {
                "value": show.points(after),
                "label": _("left afterwards") if after >= 0 else _("would be left"),
                "tone": "" if after >= 0 else "bad",
            },
        ]
    return counters


def progress(found: Rehearsal, *, at: datetime) -> dict[str, Any]:
    """How far the handing out is, how fast, and about how long it still takes."""
    passed = (at - found.committed_at).total_seconds() if found.committed_at else 0
    speed = round(found.handed / passed) if passed > 0 else 0
    left = round((found.people - found.handed) / speed) if speed else None
    return {
        "one": found,
        "done": f"{found.handed:,}",
        "whole": f"{found.people:,}",
        "speed": f"{speed:,}" if speed else "",
        "minutes": left // 60 if left is not None and left >= 60 else 0,
        "seconds": left if left is not None and left < 60 else None,
    }
