"""Activation: a link, a password, in."""

from django.contrib.auth import login
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from tenants.access import ANYONE, allow
from tenants.identity import links, operations


@allow(ANYONE)
@never_cache
@sensitive_post_parameters()
def activate(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Set a password by an activation link and sign in."""
    user = links.find_activation(uid, token)
    if user is None:
        return render(request, "identity/activation_dead.html", status=404)
    form = SetPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        operations.set_password(
            user=user, password=form.cleaned_data["new_password1"], actor=user, at=timezone.now()
        )
        login(request, user, backend="benefits.people.login.Backend")
        return redirect("/")
    return render(request, "identity/activate.html", {"form": form, "person": user})
