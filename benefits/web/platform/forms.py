"""What operators type."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits import money
from benefits.funds import slips
from benefits.suppliers.registry import ADAPTERS
from tenants.errors import DomainError
from tenants.identity.roles import LABELS, PLATFORM_ROLES, Role
from tenants.models import Company


class YuanField(forms.CharField):
    """Yuan as typed, cleaned to integer fen. Separators that people paste are taken off."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return money.parse_yuan(
                text.replace(",", "").replace("，", "").replace(" ", "").removeprefix("¥")
            )
        except money.NotAnAmount as error:
            raise forms.ValidationError(str(error)) from None


class NamesForm(forms.Form):
    """How a company is called, by its licence and by its staff."""

    name = forms.CharField(
        label=_("Name of the company"), max_length=120, help_text=_("As on its business licence.")
    )
    short_name = forms.CharField(
        label=_("Short name"), max_length=40, required=False, help_text=_("Shown to its staff.")
    )
    credit_code = forms.CharField(
        label=_("Unified social credit code"),
        max_length=40,
        required=False,
        help_text=_("18 characters; its check digit is verified."),
    )


class CompanyForm(NamesForm):
    """A company to be opened."""

    schema = forms.CharField(
        label=_("Key"),
        max_length=63,
        help_text=_("Lower-case letters, digits and _. It never changes."),
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
        ),
    )
    domain = forms.CharField(
        label=_("Host name"),
        max_length=253,
        help_text=_("Where its staff go, like acme.example.com."),
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
        ),
    )
    owner_email = forms.EmailField(
        label=_("E-mail of the first administrator"),
        max_length=80,
        help_text=_("Their activation link is shown next."),
    )
    points_per_yuan = forms.TypedChoiceField(
        label=_("Points shown for one yuan"), coerce=int, choices=[(rate, rate) for rate in money.RATES]
    )


class FactsForm(NamesForm):
    """What is known of a company. What a point is worth is fixed once any were granted."""

    address = forms.CharField(
        label=_("Registered address"), max_length=200, required=False, help_text=_("Printed on its invoices.")
    )
    phone = forms.CharField(
        label=_("Telephone"), max_length=40, required=False, widget=forms.TextInput(attrs={"type": "tel"})
    )
    bank_name = forms.CharField(label=_("Bank"), max_length=100, required=False)
    bank_account = forms.CharField(
        label=_("Number of the bank account"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    brand_colour = forms.CharField(
        label=_("Brand colour"),
        max_length=20,
        required=False,
        help_text=_("Like #1f6f5c; it must be readable on white. Empty: the platform's own."),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, help_text=_("Until a reader chooses another.")
    )
    points_name = forms.CharField(
        label=_("Name of its points"), max_length=20, required=False, help_text=_("Empty: points.")
    )
    points_per_yuan = forms.TypedChoiceField(
        label=_("Points shown for one yuan"), coerce=int, choices=[(rate, rate) for rate in money.RATES]
    )
    daily_limit_fen = YuanField(
        label=_("Daily limit of an employee in yuan"),
        max_length=20,
        help_text=_("What one may redeem in a day."),
    )
    others_allowed = forms.BooleanField(
        label=_("Employees may top up other people's numbers"), required=False
    )

    leaver_policy = forms.ChoiceField(
        label=_("When an employee leaves"),
        choices=Company.LeaverPolicy.choices,
        help_text=_("Sign-in ends at the same time."),
    )
    leaver_grace_days = forms.IntegerField(
        label=_("Days of grace"),
        min_value=0,
        max_value=365,
        help_text=_("So many days after leaving one may still sign in and spend; 0: none."),
    )
    expiry_policy = forms.ChoiceField(
        label=_("When points expire"),
        choices=Company.ExpiryPolicy.choices,
        help_text=_("As its contract says. It counts for what expires from now on."),
    )
    refund_days = forms.IntegerField(
        label=_("Days to spend a refund of expired points"),
        min_value=1,
        max_value=365,
        help_text=_("Points of a failed order that are over by then live on for so many days."),
    )

    def __init__(self, *args: Any, rate_fixed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if rate_fixed:
            rate = self.fields["points_per_yuan"]
            rate.disabled = True
            rate.help_text = _("Points have been granted, so what a point is worth stays as it is.")


class DepositForm(forms.Form):
    """A bank transfer that arrived, with the bank's slip."""

    yuan = YuanField(label=_("Amount in yuan"), max_length=20)
    reference = forms.CharField(
        label=_("Bank reference"), max_length=60, help_text=_("As on the bank's statement; it counts once.")
    )
    value_date = forms.DateField(
        label=_("Credited by the bank on"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    payer = forms.CharField(
        label=_("Payer"),
        max_length=120,
        required=False,
        help_text=_("As on the bank's statement. Empty: the company itself."),
    )
    slip = forms.FileField(
        label=_("Bank slip"),
        required=False,
        widget=forms.FileInput({"accept": ".pdf,.png,.jpg,.jpeg"}),
        help_text=_("PDF, PNG or JPEG, at most 5 MB. Kept sealed."),
    )

    def clean_slip(self) -> slips.Slip | None:
        file = self.cleaned_data.get("slip")
        try:
            return slips.read(file) if file else None
        except DomainError as error:
            raise forms.ValidationError(str(error)) from None


class HoldForm(forms.Form):
    """Part of a company's funds that may not be loaded for now."""

    yuan = YuanField(label=_("Amount in yuan"), max_length=20)
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("The company reads it on its funds page.")
    )


class ReversalForm(forms.Form):
    """Why a confirmed deposit was a mistake."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Whoever decides, and whoever audits it, reads this.")
    )


class CreditForm(forms.Form):
    """How far a company may go below zero."""

    yuan = YuanField(label=_("Credit line in yuan"), max_length=20)


class SupplierForm(forms.Form):
    """A supplier; credentials are taken in and never shown."""

    slug = forms.SlugField(label=_("Short name"), max_length=40, help_text=_("Used in its callback address."))
    name = forms.CharField(label=_("Name of the supplier"), max_length=80)
    adapter = forms.ChoiceField(label=_("Dialect"), choices=[(name, name) for name in sorted(ADAPTERS)])
    base_url = forms.URLField(label=_("Address"), max_length=200, assume_scheme="https")
    credentials = forms.CharField(
        label=_("Credentials"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_(
            "A JSON object, as the supplier's page in the documentation says. Stored sealed, never shown again."
        ),
    )


class SupplierChangeForm(forms.Form):
    """What may change of a supplier."""

    name = forms.CharField(label=_("Name of the supplier"), max_length=80)
    base_url = forms.URLField(label=_("Address"), max_length=200, assume_scheme="https")
    is_active = forms.BooleanField(label=_("In use"), required=False)
    credentials = forms.CharField(
        label=_("New credentials"),
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Leave empty to keep those that are there; they are never shown."),
    )


class OfferForm(forms.Form):
    """What a supplier asks for a SKU."""

    sku_code = forms.ChoiceField(label=_("SKU"))
    supplier_code = forms.CharField(label=_("Supplier's product code"), max_length=60)
    cost = YuanField(label=_("Cost in yuan"), max_length=20)
    priority = forms.IntegerField(label=_("Priority"), min_value=1, max_value=999, initial=100)
    is_active = forms.BooleanField(label=_("In use"), required=False, initial=True)

    def __init__(self, *args: Any, skus: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sku_code"].choices = skus  # type: ignore[attr-defined]


class DecisionForm(forms.Form):
    """How a case ends, and why."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[
            ("ask", _("Nothing to correct: go on asking the supplier")),
            ("delivered", _("It was delivered")),
            ("failed", _("It failed: the employee gets the points back")),
        ],
    )
    note = forms.CharField(
        label=_("What shows it"),
        max_length=250,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The supplier's answer, a receipt, a call: whoever audits this reads it."),
    )


class GoodwillForm(forms.Form):
    """What the platform gives an employee, and what they are told."""

    fen = YuanField(label=_("Yuan"), max_length=20)
    reason = forms.CharField(
        label=_("What the employee is told"),
        max_length=120,
        help_text=_("They read it in their wallet, like: Your top-up takes longer than it should."),
    )
    seen = forms.CharField(max_length=10, widget=forms.HiddenInput)
    request_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = money.yuan_grouped(settings.GOODWILL_ALONE_FEN)
        self.fields["fen"].help_text = _("At most ¥%(yuan)s.") % {"yuan": most}


class StaffForm(forms.Form):
    """Somebody who works for the platform."""

    name = forms.CharField(label=pgettext_lazy("person", "Name"), max_length=80)
    email = forms.EmailField(label=_("E-mail"), max_length=80, help_text=_("They sign in with it."))
    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=[(str(role), LABELS[role]) for role in PLATFORM_ROLES],
        widget=forms.CheckboxSelectMultiple,
    )

    def clean_roles(self) -> list[Role]:
        return [Role(name) for name in self.cleaned_data["roles"]]


class RolesForm(forms.Form):
    """What somebody may do."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=[(str(role), LABELS[role]) for role in PLATFORM_ROLES],
        widget=forms.CheckboxSelectMultiple,
    )

    def clean_roles(self) -> list[Role]:
        return [Role(name) for name in self.cleaned_data["roles"]]
