"""What is asked before something is done to many employees."""

from datetime import date

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.roster import export, fields, normalise
from benefits.roster.shapes import Problem
from benefits.web.company.forms import CompanyForm


class MoveForm(CompanyForm):
    """Where to; a department that does not exist yet is made."""

    department = forms.CharField(
        label=gettext_lazy("Department"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Empty: out of any department. A new one is made where it is missing."),
        widget=forms.TextInput({"list": "departments", "autocomplete": "off"}),
    )

    def clean_department(self) -> str:
        found = normalise.attempt(fields.BY_NAME["department"].read, self.cleaned_data["department"])
        if isinstance(found, Problem):
            raise forms.ValidationError(
                _("This is too long, or holds signs that cannot be read. Type it again.")
            )
        return found or ""


class LeaveForm(CompanyForm):
    """The last day."""

    left_on = forms.DateField(
        label=gettext_lazy("Left on"),
        initial=timezone.localdate,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )

    def clean_left_on(self) -> date:
        day: date = self.cleaned_data["left_on"]
        if not 1950 <= day.year <= 2100:
            raise forms.ValidationError(_("This is no day that somebody can leave on."))
        if day > timezone.localdate():
            raise forms.ValidationError(
                _("This day is still to come: mark people as left when they have left.")
            )
        return day


class LinksForm(CompanyForm):
    """How the links are handed over."""

    PAGE = "page"
    kind = forms.ChoiceField(
        label=gettext_lazy("As"),
        initial=PAGE,
        widget=forms.RadioSelect,
        choices=[(PAGE, gettext_lazy("a page to print")), (export.XLSX, gettext_lazy("an Excel workbook"))],
    )


class ExportForm(CompanyForm):
    """Which kind of file, and whether whole mobile numbers stand in it."""

    kind = forms.ChoiceField(
        label=gettext_lazy("File"),
        initial=export.XLSX,
        widget=forms.RadioSelect,
        choices=[(export.XLSX, gettext_lazy("Excel workbook (.xlsx)")), (export.CSV, "CSV")],
    )
    full_mobiles = forms.BooleanField(
        label=gettext_lazy("With full mobile numbers"),
        required=False,
        help_text=gettext_lazy(
            "It is recorded that you took them along. Without, they stand as 138 **** 8000."
        ),
    )
