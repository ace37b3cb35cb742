"""The forms of budgets and funds: they check shapes; the operations decide."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits.catalogue.models import Category
from benefits.people.models import Department
from benefits.points import queries
from benefits.points.models import Budget
from benefits.web.company import shown
from benefits.web.company.forms import AMOUNT, CompanyForm, Keyed, amount_of
from benefits.web.funds_shown import day_field


class BudgetForm(CompanyForm):
    """A budget's terms, new or changed."""

    name = forms.CharField(
        label=pgettext_lazy("budget", "Name"), max_length=80, help_text=_("Like “Mid-Autumn 2026”.")
    )
    owner = forms.CharField(
        label=pgettext_lazy("budget", "Owner"), max_length=80, help_text=_("Who answers for it.")
    )
    cost_centre = forms.CharField(
        label=_("Cost centre"), max_length=40, required=False, help_text=_("As your accounts call it.")
    )
    department = forms.ChoiceField(label=_("Department that pays"), required=False)
    from_date = day_field(_("Valid from"), initial=timezone.localdate)
    to_date = day_field(_("Valid until"), required=False)
    categories = forms.MultipleChoiceField(
        label=_("May be spent on"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing ticked: on everything."),
    )
    at_end = forms.ChoiceField(
        label=_("What is left at the end"),
        choices=Budget.AtEnd.choices,
        initial=Budget.AtEnd.STAY,
        required=False,
        widget=forms.RadioSelect,
        help_text=_("Also of what comes back to it later."),
    )
    carry_to = forms.ModelChoiceField(
        label=_("Budget that takes it over"),
        queryset=Budget.objects.none(),
        required=False,
        empty_label=pgettext_lazy("budget", "none"),
    )

    def __init__(self, *args: Any, budget: Budget | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["categories"]
        choices.choices = [(category.slug, category.name) for category in Category.objects.all()]
        paths = list(Department.objects.order_by("path").values_list("path", flat=True))
        if budget is not None and budget.department and budget.department not in paths:
            paths.insert(0, budget.department)  # its department is gone by now; the budget keeps the name
        departments: Any = self.fields["department"]
        departments.choices = [("", pgettext_lazy("department", "none")), *((path, path) for path in paths)]
        heirs: Any = self.fields["carry_to"]
        heirs.queryset = other_budgets(budget)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("from_date"), data.get("to_date")
        if first and last and last < first:
            self.add_error("to_date", _("The last day lies before the first."))
        data["at_end"] = data.get("at_end") or Budget.AtEnd.STAY
        if data["at_end"] != Budget.AtEnd.CARRY:
            data["carry_to"] = None
        elif not data.get("carry_to") and "carry_to" not in self.errors:
            self.add_error("carry_to", _("Choose the budget that takes over what is left."))
        return data


def other_budgets(budget: Budget | None) -> Any:
    """The company's open budgets but this one."""
    found = queries.budgets().filter(status=Budget.Status.OPEN).order_by("name")
    return found.exclude(pk=budget.pk) if budget else found


def terms_of(budget: Budget) -> dict[str, Any]:
    """What the form shows of a budget that is there."""
    names = (
        "name",
        "owner",
        "cost_centre",
        "department",
        "from_date",
        "to_date",
        "categories",
        "at_end",
        "carry_to",
    )
    return {name: getattr(budget, name) for name in names}


class MoveForm(Keyed):
    """An amount in yuan to move to another budget."""

    target = forms.ModelChoiceField(
        label=_("To budget"),
        queryset=Budget.objects.none(),
        empty_label=pgettext_lazy("budget", "choose one"),
    )
    amount = forms.CharField(label=_("Amount in yuan"), max_length=20, widget=AMOUNT)

    def __init__(self, *args: Any, budget: Budget, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["target"]
        field.queryset = other_budgets(budget)
        show = shown.amounts(self.company)
        field.label_from_instance = lambda other: (
            _("%(name)s, %(left)s left")
            % {"name": other.name, "left": show.with_unit(other.account.balance_fen or 0)}
        )

    def clean_amount(self) -> int | None:
        return amount_of(self, "amount")


class WarningForm(CompanyForm):
    """Below which amount in yuan the company wants to be told that its funds are low."""

    mark = forms.CharField(
        label=_("Warn us below, in yuan"),
        max_length=20,
        required=False,
        widget=AMOUNT,
        help_text=_("Finance and administrators get one mail each time. Empty: no warning."),
    )

    def clean_mark(self) -> int | None:
        return amount_of(self, "mark")
