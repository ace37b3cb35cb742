"""The small forms beside a rule and its rehearsals: a day, a change of state, and the yes to what was seen."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from benefits.web.company.forms import CompanyForm, Keyed
from benefits.web.company.rule_parts import DATE_INPUT


class DayForm(CompanyForm):
    """The day that a rehearsal is for."""

    day = forms.DateField(label=_("Day"), widget=forms.DateInput(DATE_INPUT, "%Y-%m-%d"))

    def clean_day(self) -> Any:
        day = self.cleaned_data["day"]
        today = timezone.localdate()
        if abs((day - today).days) > 366:
            raise forms.ValidationError(_("Choose a day within a year from today."))
        return day


class StateForm(Keyed):
    """A change of a rule's state."""


class CommitForm(Keyed):
    """Yes to a rehearsal: its digest says what was seen, the key makes a second sending harmless."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)
