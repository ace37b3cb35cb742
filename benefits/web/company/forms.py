"""The forms of the company console: they check shapes; the operations decide."""

import uuid
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits import money
from benefits.people import departments as departments_of
from benefits.points.models import Budget
from benefits.web.company import shown
from tenants.errors import DomainError
from tenants.identity.models import User
from tenants.identity.roles import LABELS, Role
from tenants.models import Company

STAFF_ROLES = (Role.HR, Role.APPROVER, Role.EDITOR, Role.FINANCE, Role.ADMIN)
ROLE_CHOICES = [(str(role), LABELS[role]) for role in STAFF_ROLES]
# Where a refusal is shown; the others stand above the form.
FIELD_OF_ERROR = {
    "budget_exists": "name",
    "rule_exists": "name",
    "invalid_validity": "to_date",
    "invalid_carry_over": "carry_to",
    "categories_only_widen": "categories",
    "insufficient_funds": "amount",
    "insufficient_budget": "amount",
    "unknown_employees": "listing",
    "unreadable_list": "listing",
    "faulty_list": "listing",
    "points_missing": "points",
    "invalid_points": "points",
    "invalid_expiry": "expires",
    "user_exists": "email",
    "own_access": "roles",
    "roster_too_large": "file",
    "roster_too_many_uploads": "file",
    "roster_too_many_leavers": "leavers",
    "roster_rows_held_back": "rows",
}


class CompanyForm(forms.Form):
    """A form that knows whose it is, and shows a refusal at the field it is about."""

    def __init__(self, *args: Any, company: Company, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.company = company

    def refuse(self, error: DomainError) -> None:
        """Show a refusal in place; what was typed stays."""
        field = FIELD_OF_ERROR.get(error.code)
        self.add_error(field if field in self.fields else None, shown.refusal(error, self.company))


def amount_of(form: CompanyForm, field: str, *, rate: int = 0) -> int | None:
    """An amount as typed, in fen: yuan, or points at a rate. Separators that people paste are taken off."""
    text = (form.cleaned_data.get(field) or "").strip().replace(",", "").replace("，", "")
    if not text:
        return None
    try:
        fen = money.parse_points(text, rate) if rate else money.parse_yuan(text)
    except DomainError as error:
        raise forms.ValidationError(str(error)) from error
    if fen <= 0:
        raise forms.ValidationError(_("Give more than 0."))
    return fen


AMOUNT = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})


class Keyed(CompanyForm):
    """A form that moves value: its key makes a second sending harmless."""

    request_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class MoneyForm(Keyed):
    """An amount in yuan to load into a budget or to return from it."""

    amount = forms.CharField(label=_("Amount in yuan"), max_length=20, widget=AMOUNT)

    def clean_amount(self) -> int | None:
        return amount_of(self, "amount")


class GrantForm(Keyed):
    """Who gets how much, from which budget, why and until when."""

    ALL, DEPARTMENTS, LIST = "all", "departments", "list"

    budget = forms.ModelChoiceField(label=_("From budget"), queryset=Budget.objects.none(), empty_label=None)
    whom = forms.ChoiceField(
        label=pgettext_lazy("grant", "To"),
        initial=ALL,
        widget=forms.RadioSelect,
        choices=[
            (ALL, _("everyone on the roster")),
            (DEPARTMENTS, _("departments")),
            (LIST, _("a list of employee numbers")),
        ],
    )
    departments = forms.MultipleChoiceField(label=_("Departments"), required=False)
    listing = forms.CharField(
        label=_("Employee numbers"),
        required=False,
        strip=False,
        max_length=2_000_000,
        widget=forms.Textarea({"rows": 6, "spellcheck": "false"}),
        help_text=_("One a line. Points of their own may follow after a comma or tab: A001, 500."),
    )
    file = forms.FileField(
        label=_("or a file"),
        required=False,
        help_text=_(
            "Excel or CSV with the columns 工号 (employee number) and, where they differ, 积分 (points)."
        ),
    )
    points = forms.CharField(label=_("For each"), required=False, max_length=20, widget=AMOUNT)
    reason = forms.CharField(
        label=_("Reason"), max_length=80, help_text=_("Employees see it in their wallets.")
    )
    expires = forms.DateField(
        label=_("Last day of validity"),
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        help_text=_("Empty: these points do not expire."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["budget"]
        field.queryset = Budget.objects.filter(
            status=Budget.Status.OPEN, purpose=Budget.Purpose.COMPANY
        ).select_related("account")
        show = shown.amounts(self.company)
        field.label_from_instance = lambda budget: (
            _("%(name)s, %(left)s left")
            % {
                "name": budget.name,
                "left": show.with_unit(budget.account.balance_fen or 0),
            }
        )
        departments: Any = self.fields["departments"]
        departments.choices = [
            (node.path, node.path) for _depth, node in departments_of.flat(departments_of.tree())
        ]
        departments.widget.attrs["size"] = min(8, max(3, len(departments.choices)))

    def clean_points(self) -> int:
        return amount_of(self, "points", rate=self.company.points_per_yuan) or 0

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > 5_000_000:
            raise forms.ValidationError(_("The file is larger than 5 MB. Keep the list alone in it."))
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        whom = data.get("whom")
        if whom == self.DEPARTMENTS and not data.get("departments"):
            self.add_error("departments", _("Choose at least one department."))
        if whom == self.LIST and not (data.get("listing", "").strip() or data.get("file")):
            self.add_error("listing", _("Type or paste employee numbers, or choose a file."))
        if whom in (self.ALL, self.DEPARTMENTS) and not data.get("points") and "points" not in self.errors:
            self.add_error("points", _("Say how many points each one gets."))
        if (expires := data.get("expires")) and expires < timezone.localdate():
            self.add_error("expires", _("This day is over. Choose a later one."))
        return data


class RolesForm(CompanyForm):
    """What somebody may do in the console."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=ROLE_CHOICES, required=False, widget=forms.CheckboxSelectMultiple
    )


class InviteForm(CompanyForm):
    """Somebody who works in the console and is not on the roster."""

    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=80)
    email = forms.EmailField(label=_("E-mail"), max_length=80)
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=ROLE_CHOICES, widget=forms.CheckboxSelectMultiple
    )

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if User.objects.filter(email__iexact=email).exists() or User.objects.filter(username=email).exists():
            raise forms.ValidationError(_("Somebody with this e-mail is here already."))
        return email
