"""What the portal's forms must look like; what they mean is decided by the operations."""

import re
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy as _

from benefits.catalogue.kinds.base import Kind

_CHOICE = re.compile(r"([A-Za-z0-9._-]{1,40}):([1-9][0-9]{0,8})\Z", re.ASCII)


class Choice(NamedTuple):
    """A size and the price that the page showed for it, in fen."""

    sku_code: str
    quoted_fen: int


class RedeemForm(forms.Form):
    """A size with its quoted price, the account, and the key that came with the page."""

    choice = forms.CharField(max_length=60, error_messages={"required": _("Choose a size.")})
    account = forms.CharField(max_length=120, required=False)
    request_key = forms.UUIDField()

    def __init__(self, *args: Any, kind: Kind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind

    def clean_choice(self) -> Choice:
        match = _CHOICE.match(self.cleaned_data["choice"])
        if match is None:
            raise forms.ValidationError(_("Choose a size."))
        return Choice(match[1], int(match[2]))

    def clean_account(self) -> str:
        cleaned = self.kind.clean(self.cleaned_data["account"])
        if cleaned is None:
            raise forms.ValidationError(self.kind.problem)
        return cleaned
