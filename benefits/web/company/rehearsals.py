"""A rehearsal: to the row who would get what, then the handing out of exactly that, watched as it goes."""

import tempfile
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.cache import cache
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from benefits import money, tasks
from benefits.campaigns import operations, queries
from benefits.campaigns.errors import RehearsalStale
from benefits.campaigns.models import Rehearsal
from benefits.people.models import Employee
from benefits.roster import export
from benefits.web.company import rule_words, shown
from benefits.web.company.budgets import READERS, may_change
from benefits.web.company.shown import Amounts
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

ROWS = 50
BARS = 12
RING_SECONDS = 10
GETS, LEFT_OUT = "gets", "left_out"
Status = Rehearsal.Status
TONES = {
    Status.MADE: "warn",
    Status.WAITING: "warn",
    Status.RUNNING: "info",
    Status.DONE: "ok",
    Status.FAILED: "bad",
    Status.DROPPED: "neutral",
    Status.STALE: "neutral",
}
OPEN = (Status.MADE, Status.FAILED)
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
            "reason": failure(one) if one.status == Status.FAILED else "",
            "made_at": one.at,
            "made_by": _by(one.made_by),
            "people": one.people,
            "cost": show.points(one.total_fen),
        }
        for one in found
    ]


def _by(who: str) -> str:
    return _("the calendar") if who == "system" else who


def failure(one: Rehearsal) -> str:
    """Why it could not be handed out, in the reader's language."""
    return queries.failure(one) if one.failure else ""


@allow(*READERS)
@never_cache
def rehearsal(request: HttpRequest, pk: int) -> HttpResponse:
    """One rehearsal wherever it stands."""
    return _page(request, _find(pk))


@allow(*READERS)
@never_cache
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the handing out is; asks for the whole page again once it is over."""
    found = _find(pk)
    if found.status != Status.RUNNING:
        response = HttpResponse(status=204)
        response.headers["HX-Refresh"] = "true"
        return response
    return render(request, "company/_rehearsal_progress.html", _progress(request, found))


@allow(Role.HR, Role.ADMIN)
@require_POST
def commit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand out exactly what was seen, or drop the rehearsal."""
    found = _find(pk)
    facts: dict[str, Any] = {"rehearsal": found, "actor": request.user, "at": timezone.now()}
    try:
        if "drop" in request.POST:
            operations.drop_rehearsal(**facts)
            messages.success(request, _("The rehearsal was dropped. Nothing was granted."))
            return redirect("company_rule", pk=found.rule_id)
        operations.commit_rehearsal(**facts, digest=request.POST.get("digest", "")[:64])
    except RehearsalStale:
        return _page(request, _find(pk), is_stale=True, status=409)
    except DomainError as error:
        message = shown.refusal(error, shown.company_of(request))
        return _page(request, _find(pk), error=message, status=error.status)
    ring(request, found)
    return redirect("company_rehearsal", pk=pk)


@allow(*READERS)
@never_cache
@require_POST
def file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Everybody who gets something or is left out, as a workbook; who made it and when stands in its first line."""
    found = _find(pk)
    at = timezone.now()
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    headings = [
        pgettext("employee", "Number"),
        pgettext("person", "Name"),
        _("Department"),
        _("Amount in yuan"),
        _("Reason"),
    ]
    export.write(
        export.XLSX,
        headings,
        _cells(found),
        widths=(14, 14, 32, 14, 32),
        watermark=_("%(company)s, exported by %(who)s on %(when)s. Personal data: keep it safe, delete it after use.")
        % {
            "company": shown.company_of(request).name,
            "who": request.user.get_full_name(),  # type: ignore[union-attr]
            "when": f"{timezone.localtime(at):%Y-%m-%d %H:%M}",
        },
        target=target,
    )
    target.seek(0)
    return FileResponse(
        target,
        as_attachment=True,
        filename=f"rehearsal-{found.pk}-{found.day:%Y-%m-%d}.xlsx",
        content_type=export.CONTENT_TYPES[export.XLSX],
    )


def _cells(found: Rehearsal) -> Iterator[tuple[str, ...]]:
    names = dict(Employee.objects.values_list("pk", "name"))
    for row in found.rows.order_by("employee_no").iterator(chunk_size=5000):
        yield (
            row.employee_no,
            names.get(row.employee_id, ""),
            row.department,
            money.yuan(row.fen) if not row.reason else "",
            str(REASONS.get(row.reason, row.reason)),
        )


def ring(request: HttpRequest, found: Rehearsal) -> None:
    """Ask a worker to hand out; not twice within some seconds, however often a page asks."""
    if cache.add(f"rehearsal-rung:{found.pk}", 1, RING_SECONDS):
        tasks.hand_out.ring(shown.company_of(request).schema_name, rehearsal_id=found.pk)


def _find(pk: int) -> Rehearsal:
    return get_object_or_404(queries.rehearsals(), pk=pk)


def _page(
    request: HttpRequest, found: Rehearsal, *, error: str = "", is_stale: bool = False, status: int = 200
) -> HttpResponse:
    show = shown.amounts(shown.company_of(request))
    state = Status(found.status)
    balance = found.rule.budget.account.balance_fen or 0
    is_open = state in OPEN and not is_stale
    context = {
        "section": "rules",
        "one": found,
        "rule": found.rule,
        "title": _("%(rule)s on %(day)s") % {"rule": found.rule.name, "day": found.day.isoformat()},
        "tone": TONES[state],
        "error": error,
        "is_stale": is_stale or state == Status.STALE,
        "failure": failure(found) if state == Status.FAILED else "",
        "is_waiting": state == Status.WAITING,
        "is_running": state == Status.RUNNING,
        "is_done": state == Status.DONE,
        "grant": found.grant,
        "is_short": is_open and found.total_fen > balance,
        "lacking": show.yuan(max(0, found.total_fen - balance)),
        "lacking_field": money.yuan(max(0, found.total_fen - balance)),
        "expiry": rule_words.expiry(found.version.meaning.expiry),
        "made_at": found.at,
        "made_by": _by(found.made_by),
        "total": show.points(found.total_fen),
        "people": found.people,
        "unit": show.unit,
        "request_key": uuid4(),
        "may_change": may_change(request),
        "may_commit": may_change(request) and is_open,
        "why_not": _why_not(found),
        "can_hand_out": not _why_not(found),
        **_departments(found, show),
        **_rows(request, found, show, balance, is_open),
    }
    if state == Status.RUNNING:
        context |= _progress(request, found)
    return render(request, "company/rehearsal.html", context, status=status)


def _why_not(found: Rehearsal) -> str:
    """Why this rehearsal cannot be handed out, known before anybody tries."""
    if not found.people:
        return _("Nobody gets anything on this day.")
    ago = (timezone.localdate() - found.day).days
    if ago < 0:
        return _("This day has not come yet. Rehearse it again on the day to hand out.")
    if ago > operations.DAYS_BACK:
        return ngettext(
            "This day is more than %(days)d day ago.",
            "This day is more than %(days)d days ago.",
            operations.DAYS_BACK,
        ) % {"days": operations.DAYS_BACK}
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
            "text": ngettext(
                "%(amount)s · %(people)d person", "%(amount)s · %(people)d people", people
            )
            % {"amount": show.points(fen), "people": people},
        }
        for name, people, fen in rows[:BARS]
    ]
    return {"departments": bars, "departments_more": max(0, len(rows) - BARS)}


def _rows(
    request: HttpRequest, found: Rehearsal, show: Amounts, balance: int, is_open: bool
) -> dict[str, Any]:
    is_left_out = request.GET.get("show") == LEFT_OUT
    chosen = LEFT_OUT if is_left_out else GETS
    q = shown.searched(request.GET.get("q", ""))
    page = queries.rows(found, search=q, show=chosen, page=request.GET.get("page"))
    left_out = sum(found.counts.values())
    counters = [
        {
            "value": f"{found.people:,}",
            "label": _("get something"),
            "href": f"?show={GETS}",
            "is_current": not is_left_out,
        },
        {
            "value": f"{left_out:,}",
            "label": _("left out"),
            "href": f"?show={LEFT_OUT}",
            "is_current": is_left_out,
        },
        {"value": show.points(found.total_fen), "label": _("cost"), "note": show.yuan(found.total_fen)},
    ]
    if is_open:
        after = balance - found.total_fen
        counters += [
            {"value": show.points(balance), "label": _("in the budget now"), "note": found.rule.budget.name},
            {
                "value": show.points(after),
                "label": _("left afterwards") if after >= 0 else _("would be left"),
                "tone": "" if after >= 0 else "bad",
            },
        ]
    return {
        "show": chosen,
        "q": q,
        "is_left_out": is_left_out,
        "page": page,
        "rows": _named(page, show),
        "counters": counters,
    }


def _named(page: Iterable[Any], show: Amounts) -> list[dict[str, Any]]:
    rows = list(page)
    names = dict(
        Employee.objects.filter(pk__in=[row.employee_id for row in rows]).values_list("pk", "name")
    )
    return [
        {
            "number": row.employee_no,
            "name": names.get(row.employee_id, ""),
            "department": row.department,
            "amount": show.points(row.fen),
            "reason": REASONS.get(row.reason, row.reason),
        }
        for row in rows
    ]


def _progress(request: HttpRequest, found: Rehearsal) -> dict[str, Any]:
    """How far it is; a bell that was lost is rung again by whoever waits."""
    done, total, speed, left = queries.progress(found, at=timezone.now())
    ring(request, found)
    return {
        "one": found,
        "done_raw": done,
        "total_raw": total,
        "done": f"{done:,}",
        "whole": f"{total:,}",
        "speed": f"{speed:,}" if speed else "",
        "minutes": left // 60 if left is not None and left >= 60 else 0,
        "seconds": left if left is not None and left < 60 else None,
    }
