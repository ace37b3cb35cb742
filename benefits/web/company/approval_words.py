"""How the console tells of a request for a second signature: in lines, dates and people."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from benefits.approvals import kinds, queries
from benefits.approvals.models import Approval, Kind
from benefits.approvals.queries import Bench, Decider
from benefits.web.company import shown
from benefits.web.company.shown import Amounts

Status = Approval.Status
TONES = {
    Status.WAITING: ("info", "hourglass"),
    Status.APPROVED: ("brand", "loader-circle"),
    Status.DONE: ("ok", "check"),
    Status.FAILED: ("bad", "x"),
    Status.REFUSED: ("bad", "ban"),
    Status.WITHDRAWN: ("neutral", "undo-2"),
    Status.LAPSED: ("warn", "clock"),
}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MOST_NAMES = 3
MOST_OPEN = 5
PAGES = {
    "points.budget": "company_budget",
    "campaigns.rehearsal": "company_rehearsal",
    "campaigns.grantrule": "company_rule",
}


def age(approval: Approval, at: datetime) -> str:
    """For how long it has waited."""
    waited = at - approval.asked_at
    if waited < HOUR:
        return _("just now")
    if waited < DAY:
        hours = waited // HOUR
        return ngettext("for %(count)d hour", "for %(count)d hours", hours) % {"count": hours}
    days = waited // DAY
    return ngettext("for %(count)d day", "for %(count)d days", days) % {"count": days}


def is_urgent(approval: Approval, at: datetime) -> bool:
    """Whether it lapses within a day."""
    return approval.status == Status.WAITING and approval.due_at - queries.LAST_DAY <= at


def amount(approval: Approval, show: Amounts) -> str:
    """Yuan for what moves money between funds and budgets; a rule's is what it costs in a year."""
    if approval.kind == Kind.RULE:
        return _("about %(amount)s a year") % {"amount": show.yuan(approval.fen)}
    return show.yuan(approval.fen)


def who(decider: Decider) -> str:
    """A decider's name, and for whom."""
    if decider.acting_for is None:
        return str(decider.user)
    return _("%(name)s for %(absent)s") % {"name": decider.user, "absent": decider.acting_for}


def waits_for(approval: Approval, bench: Bench) -> str:
    """Who may decide it, the first few by name."""
    deciders = bench.deciders(approval)
    named = pgettext("between the words of a list", ", ").join(who(one) for one in deciders[:MOST_NAMES])
    more = len(deciders) - MOST_NAMES
    if not deciders:
        return _("nobody may decide this now")
    if more <= 0:
        return named
    return ngettext("%(names)s and %(count)d more", "%(names)s and %(count)d more", more) % {
        "names": named,
        "count": more,
    }


def decided_by(approval: Approval) -> str:
    """Who decided, and for whom."""
    if approval.decided_by is None:
        return ""
    return who(Decider(approval.decided_by, approval.acting_for))


def failure(approval: Approval) -> str:
    """Why it could not be carried out, in the reader's language."""
    sentences: dict[str, str] = approval.failure_words
    return sentences.get(translation.get_language() or "", "") or sentences.get("en", approval.failure)


def address_of_subject(approval: Approval) -> str:
    """The page of what it is about."""
    name, _colon, pk = approval.subject.partition(":")
    return reverse(PAGES[name], args=[int(pk)])


def rows(request: HttpRequest, found: Sequence[Approval], bench: Bench | None = None) -> list[dict[str, Any]]:
    """Requests as lines of a table."""
    show = shown.amounts(shown.company_of(request))
    at = timezone.now()
    bench = bench or queries.bench(at)
    return [
        {
            "approval": one,
            "words": kinds.words(one.kind, one.details),
            "amount": amount(one, show),
            "age": age(one, at),
            "is_urgent": is_urgent(one, at),
            "is_waiting": one.status == Status.WAITING,
            "tone": TONES[Status(one.status)][0],
            "icon": TONES[Status(one.status)][1],
            "waits_for": waits_for(one, bench) if one.status == Status.WAITING else "",
            "decided_by": decided_by(one),
            "failure": failure(one) if one.failure else "",
        }
        for one in found
    ]


def open_about(request: HttpRequest, subject: Model) -> list[dict[str, Any]]:
    """The requests about a row that still wait, for its page."""
    at = timezone.now()
    found = list(queries.waiting(at).filter(subject=kinds.subject_text(subject))[:MOST_OPEN])
    return rows(request, found) if found else []


def submitted(request: HttpRequest, asked: Approval | None) -> bool:
    """Whether a request was made instead of doing it at once; says so to the reader."""
    if asked is None:
        return False
    names = waits_for(asked, queries.bench(timezone.now()))
    messages.info(
        request,
        _("This is above what you may do alone. It waits for a decision by: %(names)s.") % {"names": names},
    )
    return True
