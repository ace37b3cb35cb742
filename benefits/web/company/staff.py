"""One employee by hand: added, or edited with both values shown where somebody else saved in between."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache

from benefits.people.errors import EmployeeChanged
from benefits.people.models import Department, Employee
from benefits.roster import fields, normalise, staff
from benefits.roster.shapes import Issue, Problem
from benefits.web.company import shown
from benefits.web.company.cells import of_issue
from benefits.web.company.forms import CompanyForm
from benefits.web.company.rows import heading
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

SUGGESTED = 2000  # departments offered while one types
HIDDEN = ("mobile", "birthday")  # shown masked; the mask sent back unchanged keeps what it hides
_FIELD_OF = {
    "employee_number_taken": "employee_no",
    "similar_employee_number": "employee_no",
    "mobile_taken": "mobile",
}


class EmployeeForm(CompanyForm):
    """Somebody on the roster; every field is read by the rule that an import reads it by."""

    employee_no = forms.CharField(label=pgettext_lazy("employee", "Number"), max_length=200)
    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=200)
    mobile = forms.CharField(
        label=gettext_lazy("Mobile"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
    )
    department = forms.CharField(
        label=gettext_lazy("Department"),
        required=False,
        max_length=500,
        help_text=gettext_lazy(
            "Levels apart by /, like Technology/Backend. A new one is made where it is missing."
        ),
        widget=forms.TextInput({"list": "departments", "autocomplete": "off"}),
    )
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        required=False,
        max_length=300,
        widget=forms.TextInput({"inputmode": "email", "autocomplete": "off"}),
    )
    hired_on = forms.CharField(
        label=gettext_lazy("Joined"), required=False, max_length=40, widget=forms.DateInput({"type": "date"})
    )
    birthday = forms.CharField(
        label=gettext_lazy("Birthday"),
        required=False,
        max_length=40,
        widget=forms.TextInput({"placeholder": "1990-05-12", "autocomplete": "off"}),
    )
    grade = forms.CharField(label=gettext_lazy("Grade"), required=False, max_length=200)
    city = forms.CharField(label=gettext_lazy("City"), required=False, max_length=200)
    regular_on = forms.CharField(
        label=gettext_lazy("Regular from"),
        required=False,
        max_length=40,
        widget=forms.DateInput({"type": "date"}),
    )
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, employee: Employee | None = None, **kwargs: Any) -> None:
        if employee is not None:
            kwargs.setdefault("initial", initial_of(employee))
        super().__init__(*args, **kwargs)
        self.employee = employee
        if employee is not None:
            del self.fields["employee_no"]
            hint = gettext_lazy("Leave the stars to keep it; clear the field to remove it.")
            for name in HIDDEN:
                if self.initial.get(name):
                    self.fields[name].help_text = hint

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.values: dict[str, str | None] = {}
        for name in ("employee_no", *staff.DETAILS):
            if name not in self.fields or name not in data:
                continue
            if name in HIDDEN and self._keeps(name, data):
                continue
            found = normalise.attempt(fields.BY_NAME[name].read, data[name])
            if isinstance(found, Problem):
                self.add_error(name, _sentence(name, found))
            elif found is None and self.fields[name].required:
                self.add_error(name, self.fields[name].error_messages["required"])
            else:
                self.values[name] = found.isoformat() if isinstance(found, date) else found
        return data

    def _keeps(self, name: str, data: Mapping[str, Any]) -> bool:
        """Whether the stars came back as they were shown. Stars shown before a change by somebody else are let pass:
        the operation refuses to save over that change."""
        if self.employee is None or "*" not in data[name]:
            return False
        return data[name] == self.initial[name] or data.get("seen") != self.initial["seen"]

    def refuse(self, error: DomainError) -> None:
        field = _FIELD_OF.get(error.code)
        self.add_error(field if field in self.fields else None, str(error))


def initial_of(employee: Employee) -> dict[str, str]:
    """What the form shows of somebody: mobile and birthday masked."""
    now = staff.known(employee)
    hidden = {name: staff.masked(name, now[name]) for name in HIDDEN}
    return {**now, **hidden, "seen": employee.updated_at.isoformat()}


def _sentence(name: str, problem: Problem) -> str:
    return of_issue(Issue(0, name, problem.code, "error", problem.params))


@allow(Role.HR, Role.ADMIN)
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """Add one person."""
    form = EmployeeForm(request.POST or None, company=shown.company_of(request))
    if request.method == "POST" and form.is_valid():
        values = {name: value for name, value in form.values.items() if name != "employee_no"}
        try:
            made = staff.add(
                employee_no=str(form.values["employee_no"]),
                values=values,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("%(name)s was added.") % {"name": made.name})
            return redirect("company_employee", pk=made.pk)
    return _form(request, form, status=422 if form.errors else 200)


@allow(Role.HR, Role.ADMIN)
@never_cache
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one person's details."""
    found = get_object_or_404(Employee.objects.select_related("department"), pk=pk)
    company = shown.company_of(request)
    if request.method != "POST":
        return _form(request, EmployeeForm(company=company, employee=found))
    form = EmployeeForm(request.POST, company=company, employee=found)
    if not form.is_valid():
        return _form(request, form, status=422)
    seen = _moment(form.cleaned_data["seen"])
    try:
        staff.edit(
            employee=found,
            values=form.values,
            seen=seen,
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except EmployeeChanged as error:
        return _changed_meanwhile(request, form, error)
    except DomainError as error:
        form.refuse(error)
        return _form(request, form, status=error.status)
    messages.success(request, _("%(name)s was saved.") % {"name": form.values["name"]})
    return redirect("company_employee", pk=pk)


def _moment(text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    # Whatever is no moment is older than every change: the page is then shown with both values.
    return (
        found
        if found is not None and found.tzinfo
        else datetime.fromtimestamp(0, tz=timezone.get_current_timezone())
    )


def _changed_meanwhile(request: HttpRequest, form: EmployeeForm, error: DomainError) -> HttpResponse:
    """The same form with what was typed, and beside it what is there now. Saving again keeps what was typed."""
    now = Employee.objects.select_related("department").get(pk=form.employee.pk)  # type: ignore[union-attr]
    theirs = staff.known(now)
    differing = [
        {
            "label": heading(name),
            "theirs": _shown(name, theirs[name]),
            "yours": _shown(name, value or ""),
        }
        for name, value in form.values.items()
        if (value or "") != theirs[name]
    ]
    fresh = initial_of(now)
    kept = {name: fresh[name] for name in HIDDEN if name not in form.values}
    data = {**dict(form.data.items()), **kept, "seen": fresh["seen"]}
    again = EmployeeForm(data, company=form.company, employee=now)
    again.is_valid()
    return _form(request, again, status=error.status, meanwhile={"message": str(error), "fields": differing})


def _shown(name: str, text: str) -> str:
    return (staff.masked(name, text) if name in HIDDEN else text) or "—"


def _form(
    request: HttpRequest, form: EmployeeForm, *, status: int = 200, meanwhile: Mapping[str, Any] | None = None
) -> HttpResponse:
    context = {
        "section": "employees",
        "form": form,
        "employee": form.employee,
        "departments": Department.objects.values_list("path", flat=True)[:SUGGESTED],
        "meanwhile": meanwhile,
    }
    return render(request, "company/employee_form.html", context, status=status)
