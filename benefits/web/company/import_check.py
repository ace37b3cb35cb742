"""The check of an import: the fate of every row, and problem cells corrected where they stand."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_POST

from benefits.roster import fields, operations, queries, repairs
from benefits.roster.errors import RepairRefused
from benefits.roster.models import RosterImport, RosterRow
from benefits.web.company import cells, import_columns, import_run, rows, shown
from benefits.web.company.cells import Desk
from benefits.web.company.import_run import Status
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

PAGE = 40  # rows; times the fields that may be wrong, still fewer than a form may send
GROUPS = 6
BY_HAND = "hand"  # a filter beside the fates: rows that somebody typed into
LISTED = 100  # corrections that are listed one by one
KINDS_SECONDS = 3600


class Rows(Paginator[RosterRow]):
    """Pages of rows whose number may be known from the plan, so that 100,000 need not be counted."""

    known: int | None = None

    @cached_property
    def count(self) -> int:
        return self.known if self.known is not None else super().count


def page(request: HttpRequest, found: RosterImport, *, error: str = "", status: int = 200) -> HttpResponse:
    """The rows of a plan that waits, filtered and searched, with what may be corrected."""
    context = {**import_run.about(found), **rows_context(request, found), "error": error}
    mapping = queries.mapping(found)
    columns = [column for column in mapping["offered"] if column.field]
    context |= {
        "notes": queries.notes(found),
        "hidden": import_columns.hidden_rows(found),
        "suggested": _list(
            f"{column.letter} {column.heading} ({rows.heading(column.suggestion)})"
            for column in mapping["offered"]
            if column.suggestion
        ),
        "used": _list(column.heading or column.letter for column in columns),
        "may_choose": import_columns.may_choose(found),
        **_bar(found),
    }
    return render(request, "company/import_check.html", context, status=status)


def rows_context(request: HttpRequest, found: RosterImport) -> dict[str, Any]:
    """The table with its filters: of a plan, and of what was applied."""
    search = shown.searched(request.GET.get("q", ""))
    action = "" if search and "show" not in request.GET else rows.chosen(found, request.GET.get("show", ""))
    kinds = _kinds(found) if found.problems else []
    field, _colon, code = request.GET.get("kind", "").partition(":")
    chosen = queries.rows(found, action=action, search=search)
    is_kind = any((kind.field or "", kind.code) == (field, code) for kind in kinds)
    if is_kind:
        chosen = chosen.filter(issues__contains=[[field or None, code]])
    desk = Desk.of(found)
    if is_by_hand := desk.is_open and request.GET.get("show") == BY_HAND:
        action = ""
        chosen = queries.rows(found, search=search).filter(row__in={row for row, _ in desk.choices.repairs})
    paginator = Rows(chosen, PAGE)
    if not search and not is_kind and not is_by_hand:
        paginator.known = found.counts.get(action, 0) if action else sum(found.counts.values())
    shown_page = paginator.get_page(request.GET.get("page"))
    is_problems = action in ("", "problem")
    columns = rows.columns(found, [kind.field for kind in kinds] if is_problems else ())
    return {
        "counters": rows.counters(found, action),
        "action": action,
        "q": search,
        "kinds": [_kind(kind) for kind in kinds],
        "kind": f"{field}:{code}" if is_kind else "",
        "columns": [rows.heading(column) for column in columns],
        "rows": rows.shown_rows(shown_page, columns, desk),
        "page": shown_page,
        "groups": _groups(found, desk) if is_problems and desk.is_open and not search else [],
        "is_filtered": bool(search or is_kind or is_by_hand),
    }


@allow(Role.HR, Role.ADMIN)
@require_POST
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what was typed into cells, and which rows are left out: one cell or row by htmx, a whole form without."""
    found = queries.find_import(pk)
    try:
        number = _save(request, found)
    except DomainError as error:
        return _refused(request, found, error)
    found.refresh_from_db()
    if request.headers.get("HX-Request"):
        return _part(request, found)
    if number:
        text = ngettext("%(n)d cell was corrected.", "%(n)d cells were corrected.", number)
        messages.success(request, text % {"n": number})
    return redirect(_back(request, found))


@allow(Role.HR, Role.ADMIN)
@require_POST
def recheck(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what was typed, and have a worker check the whole file again."""
    found = queries.find_import(pk)
    try:
        if found.status == Status.PLANNED:
            _save(request, found)
        found = operations.recheck(roster_import=found, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    except DomainError as error:
        return _refused(request, found, error)
    import_run.ring_anew(request, found)
    return redirect("company_import", pk=pk)


@allow(Role.HR, Role.ADMIN)
def row(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One row with all its cells, beside whatever it collides with."""
    found = queries.find_import(pk)
    one = cells.find_row(found, number)
    if one is None or found.status != Status.PLANNED:
        return redirect("company_import", pk=pk)
    desk = Desk.of(found)
    against = rows.collisions(found, one)
    more = {issue.field for issue in queries.issues_of(one)}.union(*(other["values"] for other in against))
    names = ["employee_no", *rows.columns(found, more)]
    known = rows.values_of(one)
    context = {
        **import_run.about(found),
        "row": one,
        "against": [other["title"] for other in against],
        "notes": [cells.of_issue(issue) for issue in queries.issues_of(one)],
        "lines": [
            {
                "label": rows.heading(name),
                "value": rows.safe(name, known.get(name)),
                "edit": cells.editable(one, name, desk, always=True),
                "others": [rows.safe(name, other["values"].get(name)) for other in against],
                "differs": any(other["values"].get(name, "") != known.get(name, "") for other in against),
            }
            for name in names
        ],
        "is_open": desk.is_open and one.action == "problem",
        "is_skipped": number in desk.choices.skipped,
    }
    part = (
        "company/_import_row_facts.html" if request.headers.get("HX-Request") else "company/import_row.html"
    )
    return render(request, part, context)


# --- what is kept -----------------------------------------------------------------------------------------------------


def _save(request: HttpRequest, found: RosterImport) -> int:
    """Keep the corrections of a form; returns the cells that were corrected. Raises RepairRefused."""
    typed = cells.sent(found, request.POST)
    typed |= _same(request, found, typed)
    skip, unskip = cells.rows_sent(request.POST, "skip"), cells.rows_sent(request.POST, "unskip")
    if typed or skip or unskip:
        operations.repair(
            roster_import=found,
            repairs=typed,
            skip=skip,
            unskip=unskip,
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    return len(typed)


def _same(request: HttpRequest, found: RosterImport, typed: dict[cells.Place, str]) -> dict[cells.Place, str]:
    """The cells that say the same as one that was corrected, or as a group of the list, with the same correction."""
    if place := cells.place_sent(request.POST.get("same", "")):
        number, name = place
        one = cells.find_row(found, number)
        text = typed.get(place, found.choices.repairs.get(place))
        codes = [issue.code for issue in queries.issues_of(one) if issue.field == name] if one else []
        if one is None or text is None or not codes:
            raise RepairRefused(row=number, field=name)
        return _spread(found, codes[0], name, cells.text_of(one, name), text)
    if (chosen := cells.number_sent(request.POST.get("group", ""))) is not None:
        groups = queries.issue_groups(found)
        text = request.POST.get(f"group-{chosen}", "").strip()
        group = groups[chosen] if chosen < len(groups) else None
        if group and (text or not fields.BY_NAME[group["field"]].required):
            return _spread(found, group["code"], group["field"], group["text"], text)
    return {}


def _spread(found: RosterImport, code: str, name: str, old: str, new: str) -> dict[cells.Place, str]:
    return {(number, name): new for number in repairs.same(found, code=code, field=name, text=old)}


# --- what is shown ----------------------------------------------------------------------------------------------------


def _bar(found: RosterImport) -> dict[str, Any]:
    """The bar at the foot: what waits for the next check, and what would happen now."""
    choices = found.choices
    return {
        "pending": repairs.pending(found, choices),
        "changes": sum(found.counts.get(name, 0) for name in rows.CHANGING),
        "corrections": len(choices.repairs),
        "skipped": sorted(choices.skipped)[:LISTED],
        "skipped_total": len(choices.skipped),
    }


def _part(request: HttpRequest, found: RosterImport) -> HttpResponse:
    """The cell or the row that was sent, and the bar as it is now."""
    desk = Desk.of(found)
    places = [place for key in request.POST if (place := cells.place_sent(key.removeprefix("cell-")))]
    chosen = [*cells.rows_sent(request.POST, "skip"), *cells.rows_sent(request.POST, "unskip")]
    context: dict[str, Any] = {"one": found, **_bar(found), "is_part": True}
    if chosen and (one := cells.find_row(found, chosen[0])):
        kinds = _kinds(found)
        columns = rows.columns(found, [kind.field for kind in kinds])
        context |= {"row": rows.shown_rows([one], columns, desk)[0]}
    elif places and (one := cells.find_row(found, places[0][0])):
        name = places[0][1]
        context |= {"edit": cells.editable(one, name, desk, always=True), "label": rows.heading(name)}
    return render(request, "company/_import_part.html", context)


def _refused(request: HttpRequest, found: RosterImport, error: DomainError) -> HttpResponse:
    """A refusal in place: in the cell that was sent, or over the table."""
    found.refresh_from_db()
    text = shown.refusal(error, shown.company_of(request))
    if request.headers.get("HX-Request"):
        return render(request, "company/_import_refused.html", {"error": text}, status=error.status)
    if found.status != Status.PLANNED:
        messages.error(request, text)
        return redirect("company_import", pk=found.pk)
    return page(request, found, error=text, status=error.status)


def _back(request: HttpRequest, found: RosterImport) -> str:
    """Where the form was: the same filter and page of the same import."""
    address = reverse("company_import", args=[found.pk])
    number = cells.number_sent(request.POST.get("row", ""))
    if number is not None:
        return reverse("company_import_row", args=[found.pk, number])
    query = urlsplit("?" + request.POST.get("back", "")[:500]).query
    return f"{address}?{query}" if query else address


def _list(words: Iterable[str]) -> str:
    """Words one after another, as the language sets them apart."""
    return pgettext("between words of a list", ", ").join(words)


def _kinds(found: RosterImport) -> list[repairs.Kind]:
    """Why rows are held back; counted once for each plan."""
    key = f"roster-kinds:{found.pk}:{found.plan_digest}:{found.checked_at}".replace(" ", "_")
    known: list[repairs.Kind] | None = cache.get(key)
    if known is None:
        known = repairs.kinds(found)
        cache.set(key, known, KINDS_SECONDS)
    return known


def _kind(kind: repairs.Kind) -> dict[str, Any]:
    label = rows.heading(kind.field) if kind.field else _("the whole row")
    problem = cells.PROBLEMS.get(kind.code)
    said = _("%(field)s: %(problem)s") % {"field": label, "problem": problem} if problem else label
    return {"value": f"{kind.field or ''}:{kind.code}", "label": said, "count": kind.rows}


def _groups(found: RosterImport, desk: Desk) -> list[dict[str, Any]]:
    """The same text wrong in several rows, to be corrected at once."""
    groups = []
    for index, group in enumerate(queries.issue_groups(found)):
        name, sample = group["field"], group["rows_sample"]
        is_done = bool(sample) and all((number, name) in desk.choices.repairs for number in sample)
        is_one = group["count"] < 2 or group["code"] in cells.OF_ONE_ROW or not group["text"]
        if is_one or is_done or name not in fields.BY_NAME:
            continue
        problem = cells.PROBLEMS.get(group["code"], "")
        required = fields.BY_NAME[name].required
        groups.append(
            {**group, "index": index, "label": rows.heading(name), "problem": problem, "required": required}
        )
    return groups[:GROUPS]
