"""The platform's own people: invite, give roles, close, help with a lost phone."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from benefits.web.platform import who
from benefits.web.platform.forms import RolesForm, StaffForm
from tenants.errors import DomainError
from tenants.identity import links, operations
from tenants.identity.models import User
from tenants.identity.roles import LABELS, Role


@who.administrators
def staff(request: HttpRequest) -> HttpResponse:
    """Everybody who may sign in here, and a form to invite somebody."""
    form = StaffForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"].lower()
        try:
            person = operations.invite(
                username=email,
                name=form.cleaned_data["name"],
                email=email,
                roles=form.cleaned_data["roles"],
                actor=who.person(request),
                at=timezone.now(),
            )
        except DomainError as error:
            form.add_error("email", str(error))
        else:
            return _page(
                request, StaffForm(), link=links.absolute(links.activation_path(person)), link_for=person
            )
    return _page(request, form)


def _page(request: HttpRequest, form: StaffForm, **more: Any) -> HttpResponse:
    protected = set(
        Authenticator.objects.filter(type=Authenticator.Type.TOTP).values_list("user_id", flat=True)
    )
    people = User.objects.prefetch_related("groups").order_by("-is_active", "name", "username")
    rows = [
        {
            "person": one,
            "roles": [LABELS[Role(group.name)] for group in one.groups.all()],
            "activated": one.has_usable_password(),
            "protected": one.pk in protected,
        }
        for one in people
    ]
    return render(request, "platform/staff.html", {"section": "staff", "rows": rows, "form": form, **more})


@who.administrators
def member(request: HttpRequest, user_id: int) -> HttpResponse:
    """One of the staff: what they may do."""
    person = get_object_or_404(User, pk=user_id)
    form = RolesForm(request.POST or None, initial={"roles": sorted(person.roles)})
    if request.method == "POST" and form.is_valid():
        operations.set_roles(
            user=person, roles=form.cleaned_data["roles"], actor=who.person(request), at=timezone.now()
        )
        messages.success(request, _("Saved. It holds from their next click on."))
        return redirect("platform_staff")
    return _member(request, person, form)


def _member(request: HttpRequest, person: User, form: RolesForm, **more: Any) -> HttpResponse:
    context = {
        "section": "staff",
        "person": person,
        "form": form,
        "own": person.pk == request.user.pk,
        "activated": person.has_usable_password(),
        "protected": Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).exists(),
        **more,
    }
    return render(request, "platform/member.html", context)


@require_POST
@who.administrators
def close(request: HttpRequest, user_id: int) -> HttpResponse:
    """Close somebody's access, or open it again."""
    person = get_object_or_404(User, pk=user_id)
    operations.set_active(
        user=person,
        is_active=not person.is_active,
        actor=who.person(request),
        at=timezone.now(),
    )
    return redirect("platform_member", user_id=user_id)


@require_POST
@who.administrators
def reset(request: HttpRequest, user_id: int) -> HttpResponse:
    """Take away a lost second factor."""
    person = get_object_or_404(User, pk=user_id)
    operations.reset_second_factor(user=person, actor=who.person(request), at=timezone.now())
    messages.success(request, _("Their next sign-in asks for a new authenticator app."))
    return redirect("platform_member", user_id=user_id)


@require_POST
@who.administrators
def link(request: HttpRequest, user_id: int) -> HttpResponse:
    """A new activation link, which also serves a forgotten password."""
    person = get_object_or_404(User, pk=user_id, is_active=True)
    path = operations.issue_link(user=person, actor=who.person(request), at=timezone.now())
    form = RolesForm(initial={"roles": sorted(person.roles)})
    return _member(request, person, form, link=links.absolute(path))
