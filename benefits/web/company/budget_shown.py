"""How a budget's page tells where its value is, what needs a look, and how long it will last."""

from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from benefits.catalogue.models import Category
from benefits.points import overview
from benefits.points.figures import BudgetFigures
from benefits.points.models import Budget, Posting
from benefits.web.company.shown import Amounts


def is_over(budget: Budget) -> bool:
    """Whether the budget's last day is past."""
    return budget.to_date is not None and budget.to_date < timezone.localdate()


def parts(figures: BudgetFigures, show: Amounts) -> list[dict[str, str]]:
    """Where the budget's value is now: name, amount and its place on a bar of a hundred."""
    places = [
        ("left", _("left in the budget"), figures.left_fen),
        ("allotted", _("being handed out"), figures.allotted_fen),
        ("wallets", _("in wallets"), figures.in_wallets_fen),
        ("held", _("in process"), figures.held_fen),
        ("delivered", pgettext("amount", "delivered"), figures.delivered_fen),
        ("lapsed", pgettext("amount", "lapsed"), figures.lapsed_fen),
    ]
    whole = figures.whole_fen
    rows, start = [], 0
    for code, label, fen in places:
        row = {
            "code": code,
            "label": label,
            "points": show.points(fen),
            "yuan": show.yuan(fen),
            # With a point, whatever the language: they are lengths in a drawing.
            "x": f"{100 * start / whole:.3f}" if whole else "0",
            "width": f"{100 * fen / whole:.3f}" if whole else "0",
            "percent": f"{100 * fen / whole:.1f}%" if whole else "",
        }
        if fen or code in ("left", "wallets", "delivered"):
            rows.append(row)
        start += fen
    return rows


def sums(figures: BudgetFigures, show: Amounts) -> list[dict[str, Any]]:
    """What made the whole: loaded, and what was moved in, moved out and returned where anything was."""
    rows = [
        ("in", pgettext("amount", "loaded"), figures.loaded_fen),
        ("in", _("moved in from other budgets"), figures.moved_in_fen),
        ("out", _("moved out to other budgets"), figures.moved_out_fen),
        ("out", _("returned to the funds"), figures.returned_fen),
    ]
    return [
        {"sign": sign, "label": label, "points": show.points(fen)}
        for sign, label, fen in rows
        if fen or label == rows[0][1]
    ]


def alerts(budget: Budget, figures: BudgetFigures, show: Amounts, *, at: datetime) -> list[dict[str, str]]:
    """What needs a look: nearly or all used, over and still holding something."""
    if budget.status != Budget.Status.OPEN:
        return []
    found = []
    if is_over(budget) and figures.left_fen:
        found.append({"tone": "warn", "text": _over(budget, show.yuan(figures.left_fen))})
    percent = figures.percent_used
    if percent >= 100:
        found.append({"tone": "warn", "text": _("All of this budget is used.")})
    elif percent >= 80:
        text = _("%(percent)d%% of this budget is used; %(left)s is left.")
        found.append(
            {"tone": "info", "text": text % {"percent": percent, "left": show.yuan(figures.left_fen)}}
        )
    return found


def _over(budget: Budget, left: str) -> str:
    if budget.carry_to is not None and budget.ended_at is None:
        text = _(
            "Its validity is over and it holds %(left)s. “%(budget)s” cannot take that over once it is closed."
        )
        return text % {"left": left, "budget": budget.carry_to.name}
    if budget.at_end == Budget.AtEnd.STAY:
        return _("Its validity is over and it still holds %(left)s. Return that, or move it.") % {
            "left": left
        }
    return _("Its validity is over; the %(left)s that it holds goes where its terms say within the day.") % {
        "left": left
    }


def forecast(budget: Budget, figures: BudgetFigures, *, at: datetime) -> str:
    """How long the budget lasts at the pace of the last months; empty where that cannot be told."""
    if budget.status != Budget.Status.OPEN or is_over(budget):
        return ""
    day = overview.runs_out_on(budget, figures, at=at)
    if day is None:
        return ""
    if budget.to_date is not None and day > budget.to_date:
        return _("At the pace of the last months it lasts until its validity ends.")
    return _("At the pace of the last months it is used up on %(day)s.") % {
        "day": formats.date_format(day, "Y-m-d")
    }


def terms(budget: Budget) -> dict[str, Any]:
    """What the budget may be spent on, and what becomes of what is left, in words."""
    end = budget.get_at_end_display()
    if budget.carry_to is not None:
        end = _("goes over to “%(budget)s”") % {"budget": budget.carry_to.name}
    return {
        "categories": [category.name for category in Category.objects.filter(slug__in=budget.categories)]
        if budget.categories
        else [],
        "at_end": end,
    }


def entries(budget: Budget, show: Amounts) -> list[dict[str, Any]]:
    """The latest changes of the budget but for its grants, in words."""
    return [
        {
            "at": entry.at,
            "text": _words(entry),
            "amount": show.yuan(abs(entry.fen)),
            "sign": "in" if entry.fen > 0 else "out",
            "other": entry.other,
        }
        for entry in overview.recent_entries(budget)
    ]


def _words(entry: overview.BudgetEntry) -> str:
    facts = {"count": entry.wallets, "budget": entry.other.name if entry.other else ""}
    if entry.kind == Posting.Kind.MOVE:
        text = _("moved here from “%(budget)s”") if entry.fen > 0 else _("moved to “%(budget)s”")
        return text % facts
    came_back = {
        Posting.Kind.RECALL: ngettext(
            "returned from %(count)d wallet", "returned from %(count)d wallets", entry.wallets
        ),
        Posting.Kind.EXPIRE: ngettext(
            "expired in %(count)d wallet", "expired in %(count)d wallets", entry.wallets
        ),
    }
    if entry.kind in came_back:
        return came_back[Posting.Kind(entry.kind)] % facts
    words = {
        Posting.Kind.LOAD: _("loaded from the funds"),
        Posting.Kind.UNLOAD: _("returned to the funds"),
    }
    return words.get(Posting.Kind(entry.kind)) or str(Posting.Kind(entry.kind).label)
