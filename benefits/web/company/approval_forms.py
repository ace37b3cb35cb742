"""The forms of second signatures: a note, the limits of a kind, a stand-in."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits import money
from benefits.approvals.limits import ASKERS, DECIDERS, Limit
from benefits.web.company.forms import CompanyForm
from tenants.errors import DomainError
from tenants.identity.models import User
from tenants.identity.roles import LABELS

ALONE, APPROVES = "alone", "approves"
# What stands in a field of a kind that has no limits yet: nothing alone, and only who approves by role.
SUGGESTED = {"alone_hr": "0", "alone_admin": "0", "approves_hr": "0", "approves_finance": "0"}


class NoteForm(CompanyForm):
    """A word to whoever asked; a refusal needs one."""

    note = forms.CharField(
        label=pgettext_lazy("approval", "Note"),
        required=False,
        max_length=400,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Whoever asked reads it. Needed when you refuse."),
    )

    def __init__(self, *args: Any, needs_note: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._needs_note = needs_note

    def clean_note(self) -> str:
        note = str(self.cleaned_data["note"]).strip()
        if self._needs_note and not note:
            raise forms.ValidationError(_("Say why, so that it can be asked for better."))
        return note


class LimitsForm(CompanyForm):
    """What each role does alone and approves of one kind, in yuan; empty is any amount, 0 nothing."""

    is_limited = forms.BooleanField(label=_("A second person is needed above a limit"), required=False)

    def __init__(self, *args: Any, rows: Mapping[str, Limit], **kwargs: Any) -> None:
        initial = {"is_limited": bool(rows), **(_typed(rows) if rows else SUGGESTED)}
        super().__init__(*args, initial=initial, **kwargs)
        for role in DECIDERS:
            names = [name for name in (ALONE, APPROVES) if name == APPROVES or role in ASKERS]
            for name in names:
                self.fields[f"{name}_{role}"] = forms.CharField(
                    label=LABELS[role],
                    required=False,
                    max_length=20,
                    widget=forms.TextInput(
                        {
                            "inputmode": "decimal",
                            "autocomplete": "off",
                            "placeholder": _("any amount"),
                            "size": 7,
                        }
                    ),
                )

    def table(self) -> list[dict[str, Any]]:
        """A line for each role, with its fields."""
        return [
            {
                "role": LABELS[role],
                "alone": self[f"{ALONE}_{role}"] if role in ASKERS else None,
                "approves": self[f"{APPROVES}_{role}"],
            }
            for role in DECIDERS
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in list(self.fields):
            if name != "is_limited" and name in data:
                data[name] = self._fen(name, data[name])
        return data

    def _fen(self, name: str, text: str) -> int | None:
        text = text.strip().replace(",", "").replace("，", "")
        if not text:
            return None
        try:
            return money.parse_yuan(text)
        except DomainError as error:
            self.add_error(name, str(error))
            return 0

    def rows(self) -> dict[str, Limit]:
        """What was typed as limits; none where no second person is needed."""
        data = self.cleaned_data
        if not data["is_limited"]:
            return {}
        return {
            str(role): Limit(data.get(f"{ALONE}_{role}", 0), data[f"{APPROVES}_{role}"]) for role in DECIDERS
        }


def _typed(rows: Mapping[str, Limit]) -> dict[str, str]:
    def text(fen: int | None) -> str:
        return "" if fen is None else money.yuan(fen).removesuffix(".00")

    typed = {**SUGGESTED}
    for role, limit in rows.items():
        typed |= {f"{ALONE}_{role}": text(limit.alone_fen), f"{APPROVES}_{role}": text(limit.approves_fen)}
    return typed


class DelegationForm(CompanyForm):
    """Who decides for whom, from one day to another."""

    from_user = forms.ModelChoiceField(
        label=pgettext_lazy("delegation", "Absent"), queryset=User.objects.none(), empty_label=None
    )
    to_user = forms.ModelChoiceField(
        label=pgettext_lazy("delegation", "Stand-in"),
        queryset=User.objects.none(),
        help_text=_("Decides with the limits of whoever is absent."),
    )
    from_date = forms.DateField(
        label=_("First day"), initial=timezone.localdate, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    to_date = forms.DateField(label=_("Last day"), widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))

    def __init__(self, *args: Any, absent: Any, stand_ins: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from_user"].queryset = absent  # type: ignore[attr-defined]
        self.fields["to_user"].queryset = stand_ins  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("from_date"), data.get("to_date")
        if first and last and last < first:
            self.add_error("to_date", _("The last day lies before the first."))
        return data
