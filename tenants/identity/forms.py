"""What people type at the door."""

from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.utils.translation import gettext_lazy as _

_HINT = _("At least 8 characters. A sentence that only you would say is good.")


class SignInForm(LoginForm):
    """Any of a person's names, and the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        company = getattr(self.request, "company", None)
        login, password = self.fields["login"], self.fields["password"]
        login.label = _("Employee number, mobile or e-mail") if company else _("E-mail")
        login.widget.attrs.update(
            autocomplete="username", autocapitalize="none", spellcheck="false", placeholder=""
        )
        password.label, password.help_text = _("Password"), ""
        password.widget.attrs["placeholder"] = ""
        for field in (login, password):
            field.max_length = 200
            field.widget.attrs["maxlength"] = "200"


class _NewPassword(forms.Form):
    """The labels of a new password, typed twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first, second = self.fields["new_password1"], self.fields["new_password2"]
        first.label, first.help_text = _("New password"), _HINT
        second.label, second.help_text = _("New password once more"), ""


class FirstPasswordForm(_NewPassword, SetPasswordForm):
    """A password set by an activation link."""


class ChangePasswordForm(_NewPassword, PasswordChangeForm):
    """The present password and a new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = _("Present password")
