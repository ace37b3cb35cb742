"""What is done to many employees at once: chosen one by one or all who are found, shown first, then done in one go."""

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet, Sum
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from benefits.people import listing
from benefits.people.errors import EmployeesNotFound
from benefits.people.listing import Wanted
from benefits.people.models import Department, Employee
from benefits.points.models import Account
from benefits.roster import export, staff
from benefits.web.company import shown
from benefits.web.company.bulk_forms import ExportForm, LeaveForm, LinksForm, MoveForm
from benefits.web.company.forms import STAFF_ROLES, CompanyForm
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity import links, operations
from tenants.identity.models import User
from tenants.identity.roles import Role

NAMED = 12  # people named on the page that asks
LINKS = 500  # activation links made in one go
MOST = 20_000  # changed in one go
GRANTED = 300  # numbers carried to the page of a grant


@dataclass(frozen=True)
class Chosen:
    """Who was chosen: numbers ticked one by one, or everybody whom a filter finds; `pks` once that is settled."""

    numbers: tuple[str, ...]
    filter: str = ""
    is_all: bool = False
    pks: tuple[int, ...] | None = None

    @property
    def employees(self) -> QuerySet[Employee]:
        if self.pks is not None:
            return Employee.objects.order_by().filter(pk__in=self.pks)
        if self.is_all:
            return listing.find(wanted(QueryDict(self.filter)))
        return Employee.objects.order_by().filter(employee_no__in=self.numbers)

    @property
    def sort(self) -> str:
        return wanted(QueryDict(self.filter)).sort


def wanted(query: QueryDict) -> Wanted:
    """What the address asks for; what is no filter of ours is left out."""
    state = query.get("show", listing.ACTIVE)
    access, role, sort = query.get("access", ""), query.get("role", ""), query.get("sort", "")
    if state == listing.WAITING:
        state, access = listing.ACTIVE, listing.WAITING
    return Wanted(
        q=shown.searched(query.get("q", "")),
        department=shown.searched(query.get("department", ""), limit=200),
        state=state if state in listing.STATES else listing.ACTIVE,
        access=access if access in listing.ACCESS else "",
        role=role if role in listing.ROLES else "",
        grade=shown.searched(query.get("grade", ""), limit=40),
        sort=sort if sort.removeprefix("-") in listing.SORTS else "number",
    )


@dataclass(frozen=True)
class Action:
    """One thing to be done to many: its words, what it asks, and how it is done."""

    title: Any
    button: Any
    icon: str
    form: type[CompanyForm]
    run: Callable[[HttpRequest, Chosen, Mapping[str, Any]], HttpResponseBase]
    tone: str = "primary"


@allow(Role.HR, Role.ADMIN)
@require_POST
@never_cache
def bulk(request: HttpRequest) -> HttpResponseBase:
    """Ask about what is to be done to those chosen; do it once it is confirmed."""
    name = request.POST.get("action", "")
    chosen = chosen_in(request)
    if name == "grant":
        return _grant(request, chosen)
    action = ACTIONS.get(name)
    if action is None:
        raise Http404
    if not chosen.is_all and not chosen.numbers:
        messages.warning(request, _("Choose somebody first."))
        return redirect(_list(chosen))
    pks = _pks(chosen)
    count, seen = len(pks), _digest(pks)
    if not chosen.is_all and count != len(chosen.numbers):
        raise EmployeesNotFound
    if name in CHANGING and count > MOST:
        text = _("At most %(limit)d people are changed at once. Filter the list, or upload a roster instead.")
        messages.warning(request, text % {"limit": MOST})
        return redirect(_list(chosen))
    if name in CHANGING:
        chosen = replace(chosen, pks=tuple(pks))  # what is done is done to those who were compared
    company = shown.company_of(request)
    if request.POST.get("confirmed") != "1":
        return _ask(request, name, chosen, action.form(company=company), count, seen)
    form = action.form(request.POST, company=company)
    if not form.is_valid():
        return _ask(request, name, chosen, form, count, seen, status=422)
    if request.POST.get("expected") != seen:
        return _ask(request, name, chosen, form, count, seen, status=409, is_changed=True)
    try:
        return action.run(request, chosen, form.cleaned_data)
    except DomainError as error:
        if error.status == 404:
            raise
        form.add_error(None, str(error))
        return _ask(request, name, chosen, form, count, seen, status=error.status)


@allow(Role.HR, Role.ADMIN)
def export_found(request: HttpRequest) -> HttpResponse:
    """Ask how everybody who is found is to be exported."""
    chosen = Chosen((), filter=request.GET.urlencode(), is_all=True)
    form = ExportForm(company=shown.company_of(request))
    pks = _pks(chosen)
    return _ask(request, "export", chosen, form, len(pks), _digest(pks))


def chosen_in(request: HttpRequest) -> Chosen:
    """Who the form names. A filter is taken whole, for cut short it would find more; no number is left out in silence."""
    query = request.POST.get("filter", "")
    if len(query) > 2000:
        raise Http404
    numbers = tuple(dict.fromkeys(request.POST.getlist("no")))
    if not all(no.isprintable() and 0 < len(no) <= 40 for no in numbers):
        raise EmployeesNotFound
    return Chosen(numbers, filter=query, is_all=request.POST.get("all") == "1")


def _list(chosen: Chosen) -> str:
    return f"{reverse('company_employees')}?{chosen.filter}"


def _ask(
    request: HttpRequest,
    name: str,
    chosen: Chosen,
    form: CompanyForm,
    count: int,
    seen: str,
    *,
    status: int = 200,
    is_changed: bool = False,
) -> HttpResponse:
    action = ACTIONS[name]
    found = listing.ordered(chosen.employees, chosen.sort)
    context = {
        "section": "employees",
        "name": name,
        "action": action,
        "form": form,
        "chosen": chosen,
        "count": count,
        "seen": seen,
        "people": found[:NAMED],
        "more": max(0, count - NAMED),
        "is_changed": is_changed,
        "back": _list(chosen),
        "next": _next(request),
        "departments": Department.objects.values_list("path", flat=True)[:2000] if name == "move" else (),
        **(_leaving(request, chosen) if name == "leave" else {}),
        **({"eligible": _invited(request, chosen).count(), "limit": LINKS} if name == "links" else {}),
    }
    return render(request, "company/employee_bulk.html", context, status=status)


def _leaving(request: HttpRequest, chosen: Chosen) -> dict[str, Any]:
    """What the company's policy does with the points of those who leave."""
    company = shown.company_of(request)
    active = chosen.employees.filter(status=Employee.Status.ACTIVE)
    fen = Account.objects.filter(employee__in=active).aggregate(fen=Sum("balance_fen"))["fen"] or 0
    return {
        "points": shown.amounts(company).with_unit(fen) if fen else "",
        "returns": company.leaver_policy == company.LeaverPolicy.RETURN,
        "grace_days": company.leaver_grace_days,
        "already": chosen.employees.filter(status=Employee.Status.LEFT).count(),
    }


def _next(request: HttpRequest) -> str:
    """One employee's page, where the action began there."""
    pk = request.POST.get("employee", "")
    return pk if pk.isascii() and pk.isdigit() and len(pk) < 19 else ""


def _after(request: HttpRequest, chosen: Chosen) -> HttpResponse:
    if pk := _next(request):
        return redirect("company_employee", pk=int(pk))
    return redirect(_list(chosen))


def _pks(chosen: Chosen) -> Sequence[int]:
    return list(chosen.employees.values_list("pk", flat=True))


def _digest(pks: Sequence[int]) -> str:
    """Tells whether those found are the same people as before, not only as many."""
    return hashlib.sha256(",".join(map(str, sorted(pks))).encode()).hexdigest()[:32]


def _grant(request: HttpRequest, chosen: Chosen) -> HttpResponse:
    """Go on to the page of a grant, with the numbers filled in."""
    found = chosen.employees.filter(status=Employee.Status.ACTIVE).order_by("employee_no")
    numbers = list(found.values_list("employee_no", flat=True)[: GRANTED + 1])
    if not numbers or len(numbers) > GRANTED:
        messages.warning(
            request,
            _(
                "For a grant choose between 1 and %(limit)d active people here, or grant by department or list."
            )
            % {"limit": GRANTED},
        )
        return redirect(_list(chosen))
    return redirect(f"{reverse('company_grant_new')}?{urlencode({'no': numbers}, doseq=True)}")


# --- what is done ----------------------------------------------------------------------------------------------------


def _move(request: HttpRequest, chosen: Chosen, data: Mapping[str, Any]) -> HttpResponse:
    done = staff.set_department(
        employees=_pks(chosen),
        department=data["department"],
        actor=request.user,  # type: ignore[arg-type]
        at=timezone.now(),
    )
    text = ngettext("%(count)d person was moved.", "%(count)d people were moved.", done.changed)
    return _done(request, chosen, text, done)


def _leave(request: HttpRequest, chosen: Chosen, data: Mapping[str, Any]) -> HttpResponse:
    done = staff.leave(
        employees=_pks(chosen),
        left_on=data["left_on"],
        actor=request.user,  # type: ignore[arg-type]
        at=timezone.now(),
    )
    if done.returned_fen:
        show = shown.amounts(shown.company_of(request))
        messages.success(
            request,
            _("%(amount)s went back to the budgets.") % {"amount": show.with_unit(done.returned_fen)},
        )
    text = ngettext(
        "%(count)d person was marked as left.", "%(count)d people were marked as left.", done.changed
    )
    return _done(request, chosen, text, done)


def _return(request: HttpRequest, chosen: Chosen, data: Mapping[str, Any]) -> HttpResponse:
    done = staff.bring_back(employees=_pks(chosen), actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    text = ngettext("%(count)d person was brought back.", "%(count)d people were brought back.", done.changed)
    return _done(request, chosen, text, done)


def _done(request: HttpRequest, chosen: Chosen, text: str, done: staff.Done) -> HttpResponse:
    messages.success(request, text % {"count": done.changed})
    if done.unchanged:
        same = ngettext("%(count)d was so already.", "%(count)d were so already.", done.unchanged)
        messages.info(request, same % {"count": done.unchanged})
    return _after(request, chosen)


def _invited(request: HttpRequest, chosen: Chosen) -> QuerySet[Employee]:
    """Those whom a link may be made for: active, never signed in; with a role, by an administrator alone."""
    found = chosen.employees.filter(
        status=Employee.Status.ACTIVE, user__is_active=True, user__last_login__isnull=True
    )
    if Role.ADMIN in request.user.roles:  # type: ignore[union-attr]
        return found
    roles = [str(role) for role in STAFF_ROLES]
    return found.exclude(user__in=User.objects.filter(groups__name__in=roles))


def _links(request: HttpRequest, chosen: Chosen, data: Mapping[str, Any]) -> HttpResponseBase:
    """Make a link for each who has not signed in yet, and show them once."""
    found = listing.ordered(_invited(request, chosen), chosen.sort).select_related("user", "department")
    people = list(found[: LINKS + 1])
    if not people or len(people) > LINKS:
        messages.warning(
            request,
            _("Choose between 1 and %(limit)d people who have not signed in yet.") % {"limit": LINKS},
        )
        return redirect(_list(chosen))
    company = shown.company_of(request)
    paths = operations.issue_links(
        users=[one.user for one in people if one.user],
        actor=request.user,  # type: ignore[arg-type]
        at=timezone.now(),
    )
    root = links.absolute("", company=company)
    addresses = [f"{root}{path}" for path in paths]
    if data["kind"] == LinksForm.PAGE:
        context = {
            "section": "employees",
            "rows": list(zip(people, addresses, strict=True)),
            "watermark": _watermark(request, timezone.now()),
            "back": _list(chosen),
        }
        return render(request, "company/employee_links.html", context)
    rows = (
        (one.employee_no, one.name, one.department.path if one.department else "", address)
        for one, address in zip(people, addresses, strict=True)
    )
    headings = [
        pgettext("employee", "Number"),
        pgettext("person", "Name"),
        _("Department"),
        _("Activation link"),
    ]
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    export.write(
        export.XLSX,
        headings,
        rows,
        widths=(14, 14, 32, 80),
        watermark=_watermark(request, timezone.now()),
        target=target,
    )
    return _file(target, export.XLSX, "activation-links")


def _export(request: HttpRequest, chosen: Chosen, data: Mapping[str, Any]) -> HttpResponseBase:
    at = timezone.now()
    target = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    export.export(
        employees=listing.ordered(chosen.employees, chosen.sort),
        kind=data["kind"],
        full_mobiles=data["full_mobiles"],
        watermark=_watermark(request, at),
        target=target,
        actor=request.user,  # type: ignore[arg-type]
        at=at,
    )
    return _file(target, data["kind"], f"employees-{timezone.localtime(at):%Y%m%d-%H%M}")


def _watermark(request: HttpRequest, at: datetime) -> str:
    return _(
        "%(company)s, exported by %(who)s on %(when)s. Personal data: keep it safe, delete it after use."
    ) % {
        "company": shown.company_of(request).name,
        "who": request.user.get_full_name(),  # type: ignore[union-attr]
        "when": f"{timezone.localtime(at):%Y-%m-%d %H:%M}",
    }


def _file(target: Any, kind: str, name: str) -> HttpResponseBase:
    target.seek(0)
    return FileResponse(
        target, as_attachment=True, filename=f"{name}.{kind}", content_type=export.CONTENT_TYPES[kind]
    )


CHANGING = ("move", "leave", "return")
ACTIONS: Mapping[str, Action] = {
    "move": Action(gettext_lazy("Set the department"), gettext_lazy("Move"), "arrow-right", MoveForm, _move),
    "leave": Action(
        gettext_lazy("Mark as left"),
        gettext_lazy("Mark as left"),
        "log-out",
        LeaveForm,
        _leave,
        "danger-solid",
    ),
    "return": Action(gettext_lazy("Bring back"), gettext_lazy("Bring back"), "undo-2", CompanyForm, _return),
    "links": Action(
        gettext_lazy("Make activation links"), gettext_lazy("Make the links"), "link", LinksForm, _links
    ),
    "export": Action(gettext_lazy("Export"), gettext_lazy("Export"), "download", ExportForm, _export),
}
