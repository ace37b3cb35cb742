"""Rules that grant points by themselves: list, write, look at one, put it to work."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from benefits.approvals import operations as approvals
from benefits.approvals.models import Kind
from benefits.campaigns import operations, queries
from benefits.campaigns.models import GrantRule
from benefits.people.models import Employee
from benefits.web.company import ahead, rehearsal_page, rule_words, shown
from benefits.web.company.budgets import READERS, may_change
from benefits.web.company.rehearsal_forms import DayForm, StateForm
from benefits.web.company.rule_forms import RuleForm
from benefits.web.company.rule_parts import initial_of
from benefits.web.company.shown import Amounts
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

PAGE = 20
LATEST = 5
MOST_DATES = 12
Status = GrantRule.Status
TONES = {Status.DRAFT: "neutral", Status.ACTIVE: "ok", Status.PAUSED: "warn", Status.ENDED: "neutral"}


@allow(*READERS)
def rules(request: HttpRequest) -> HttpResponse:
    """All rules, each with what it does next, and the latest rehearsals."""
    show = shown.amounts(shown.company_of(request))
    page = Paginator(queries.rules(), PAGE).get_page(request.GET.get("page"))
    context = {
        "section": "rules",
        "page": page,
        "rows": _rows(list(page), show),
        "runs": rehearsal_page.table(queries.rehearsals()[:LATEST], show),
        "unit": show.unit,
        "may_change": may_change(request),
    }
    return render(request, "company/rules.html", context)


def _rows(found: list[GrantRule], show: Amounts) -> list[dict[str, Any]]:
    today = timezone.localdate()
    coming = ahead.coming([rule for rule in found if rule.status == Status.ACTIVE], today)
    rows = []
    for rule in found:
        assert rule.version is not None  # only while it is being made
        meaning = rule.version.definition_of()
        due = coming.get(rule.pk)
        rows.append(
            {
                "rule": rule,
                "tone": TONES[Status(rule.status)],
                "occasion": rule_words.occasion(meaning.occasion),
                "audience": rule_words.audience_in_short(meaning.audience),
                "asks": not rule.is_scheduled,
                "next": _dates([due], show)[0] if due else None,
            }
        )
    return rows


def _dates(found: list[ahead.Due], show: Amounts) -> list[dict[str, Any]]:
    return [{"day": one.day, "people": one.people, "cost": show.points(one.fen)} for one in found]


@allow(*READERS)
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """One rule: what it says, what it will do, what it did."""
    return _rule(request, _find(pk))


@allow(Role.HR, Role.ADMIN)
def new(request: HttpRequest) -> HttpResponse:
    """Write a rule; it is a draft until it is activated."""
    company = shown.company_of(request)
    initial = (
        {"budget": request.GET.get("budget", "")[:9]} if request.GET.get("budget", "").isdecimal() else {}
    )
    form = RuleForm(request.POST or None, request.FILES or None, company=company, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.make_rule(
                **form.said(),
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return _kept(request, made.pk)
    return _form(request, form, title=_("New rule"), back=reverse("company_rules"), back_label=_("Rules"))


def _kept(request: HttpRequest, pk: int) -> HttpResponse:
    messages.success(request, _("The rule is kept. Rehearse it next."))
    return redirect("company_rule", pk=pk)


@allow(Role.HR, Role.ADMIN)
def revise(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a rule's next version; a rule at work rests until it is activated again."""
    found = _find(pk, with_single=False)
    if found.status == Status.ENDED:
        return redirect("company_rule", pk=pk)
    company = shown.company_of(request)
    meaning = queries.current(found).definition_of()
    form = RuleForm(
        request.POST or None,
        request.FILES or None,
        company=company,
        initial={
            **initial_of(meaning, shown.amounts(company)),
            "name": found.name,
            "budget": found.budget_id,
        },
        known=meaning,
    )
    if request.method == "POST" and form.is_valid():
        try:
            operations.revise_rule(
                rule=found,
                **form.said(),
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return _kept(request, pk)
    back = {"back": reverse("company_rule", args=[pk]), "back_label": found.name}
    is_active = found.status == Status.ACTIVE
    return _form(request, form, title=_("Change the rule"), is_active=is_active, **back)


@allow(Role.HR, Role.ADMIN)
@require_POST
def rehearse(request: HttpRequest, pk: int) -> HttpResponse:
    """See to the row what the rule gives on a day; nothing moves."""
    found = _find(pk)
    form = DayForm(request.POST, company=shown.company_of(request))
    if form.is_valid():
        try:
            made = operations.rehearse_rule(
                rule=found,
                day=form.cleaned_data["day"],
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return redirect("company_rehearsal", pk=made.pk)
    return _rule(request, found, day_form=form, status=422)


@allow(Role.HR, Role.ADMIN)
@require_POST
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """Activate, pause or end a rule."""
    found = _find(pk, with_single=False)
    change = CHANGES.get(request.POST.get("to", ""))
    if change is None:
        raise Http404
    form = StateForm(request.POST, company=shown.company_of(request))
    if not form.is_valid():
        return _rule(request, found, error=_("Send it again from this page."), status=422)
    try:
        done = change(request, found, form.cleaned_data["request_key"])
    except DomainError as error:
        message = shown.refusal(error, shown.company_of(request))
        return _rule(request, _find(pk), error=message, status=error.status)
    messages.success(request, done)
    return redirect("company_rule", pk=pk)


def _activate(request: HttpRequest, found: GrantRule, key: UUID) -> str:
    at = timezone.now()
    asked = approvals.submit(
        kind=Kind.RULE,
        subject=found,
        fen=queries.estimate(found, day=timezone.localdate(at)),
        request_key=key,
        details={"version": found.version_id},
        actor=request.user,  # type: ignore[arg-type]
        at=at,
    )
    if asked is not None:
        return _("It was sent to somebody else for approval.")
    return _("The rule is active.")


def _pause(request: HttpRequest, found: GrantRule, key: UUID) -> str:
    operations.pause_rule(rule=found, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    return _("The rule is paused. What was given stays.")


def _end(request: HttpRequest, found: GrantRule, key: UUID) -> str:
    operations.end_rule(rule=found, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    return _("The rule has ended. What was given stays.")


CHANGES: Mapping[str, Callable[[HttpRequest, GrantRule, UUID], str]] = {
    "activate": _activate,
    "pause": _pause,
    "end": _end,
}


def _find(pk: int, *, with_single: bool = True) -> GrantRule:
    return get_object_or_404(queries.rules(with_single=with_single), pk=pk)


def _rule(
    request: HttpRequest,
    found: GrantRule,
    *,
    day_form: DayForm | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    company = shown.company_of(request)
    show = shown.amounts(company)
    today = timezone.localdate()
    page = Paginator(queries.rehearsals(found), PAGE).get_page(request.GET.get("page"))
    dates = ahead.ahead([found], today)[found.pk] if found.status != Status.ENDED else []
    context = {
        "section": "rules",
        "rule": found,
        "tone": TONES[Status(found.status)],
        "asked": rehearsal_page.open_request(found),
        "lines": rule_words.lines(queries.current(found).definition_of(), show),
        "versions": _versions(found, show),
        "page": page,
        "rehearsals": rehearsal_page.table(page, show),
        "day_form": day_form or DayForm(company=company, initial={"day": today}),
        "dates": _dates(dates[:MOST_DATES], show),
        "dates_more": max(0, len(dates) - MOST_DATES),
        "estimate": show.points(sum(one.fen for one in dates)),
        "asks": not found.is_scheduled,
        "error": error,
        "unit": show.unit,
        "request_key": uuid4(),
        "may_change": may_change(request) and not found.is_single,
        "may_revise": found.status != Status.ENDED,
        "may_activate": found.status in (Status.DRAFT, Status.PAUSED),
        "may_pause": found.status == Status.ACTIVE,
        "is_ended": found.status == Status.ENDED,
    }
    return render(request, "company/rule.html", context, status=status)


def _versions(found: GrantRule, show: Amounts) -> list[dict[str, Any]]:
    return [
        {
            "title": _("Version %(number)d, %(when)s, by %(who)s")
            % {
                "number": version.number,
                "when": f"{timezone.localtime(version.at):%Y-%m-%d %H:%M}",
                "who": version.made_by,
            },
            "lines": rule_words.lines(version.definition_of(), show),
        }
        for version in found.versions.all()[:PAGE]
    ]


def _form(request: HttpRequest, form: RuleForm, **about: Any) -> HttpResponse:
    show = shown.amounts(form.company)
    context = {
        "section": "rules",
        "form": form,
        "grade_fields": form.grade_fields(),
        "step_fields": form.step_fields(),
        "unit": show.unit,
        "rate": show.rate,
        "headcount": Employee.objects.filter(status=Employee.Status.ACTIVE).count(),
        "has_budget": form.fields["budget"].queryset.exists(),  # type: ignore[attr-defined]
        **about,
    }
    return render(request, "company/rule_form.html", context, status=422 if form.errors else 200)
