"""Doors for people: sign in, activate, change the password."""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import LoginView
from allauth.core import ratelimit
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import login, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from tenants.access import ANYONE, SIGNED_IN, allow
from tenants.identity import links, operations
from tenants.identity.forms import ChangePasswordForm, FirstPasswordForm, SignInForm


class SignIn(LoginView):
    """Sign in by any of one's names; 429 once there were too many attempts."""

    form_class = SignInForm

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        if form.has_error("__all__", code="too_many_attempts"):
            response.status_code = 429
        return response


sign_in = allow(ANYONE)(SignIn.as_view())


@allow(ANYONE)
@never_cache
@sensitive_post_parameters()
def activate(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Set a password by an activation link and sign in; a second factor that there is stays in force."""
    user = links.find_activation(uid, token)
    if user is None:
        return render(request, "identity/activation_dead.html", status=404)
    form = FirstPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        operations.set_password(
            user=user, password=form.cleaned_data["new_password1"], actor=user, at=timezone.now()
        )
        if is_mfa_enabled(user):
            return redirect("account_login")
        record_authentication(request, user, method="password")
        login(request, user, backend="benefits.people.login.Backend")
        return redirect("/")
    return render(request, "identity/activate.html", {"form": form, "person": user})


@allow(SIGNED_IN)
@never_cache
@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password: this session goes on, every other ends."""
    user: Any = request.user
    if refused := ratelimit.consume_or_429(request, action="change_password", user=user):
        return refused
    form = ChangePasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        operations.set_password(
            user=user, password=form.cleaned_data["new_password1"], actor=user, at=timezone.now()
        )
        update_session_auth_hash(request, user)
        return render(request, "account/password_changed.html")
    return render(request, "account/password_change.html", {"form": form})
