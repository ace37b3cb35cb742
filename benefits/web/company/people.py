"""Who works in the console: roles, clerks who are not on the roster, and activation links."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from benefits.web.company import shown
from benefits.web.company.forms import STAFF_ROLES, InviteForm, RolesForm
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity import links, operations
from tenants.identity.models import User
from tenants.identity.roles import LABELS, Role


def sign_in_state(user: User | None) -> str:
    """none: no account yet; waiting: never activated; active."""
    if user is None:
        return "none"
    return "active" if user.has_usable_password() and user.last_login else "waiting"


def may_link(actor: User | AnonymousUser, user: User | None) -> bool:
    """Who may make a link that sets a password: for a new employee HR; for everyone else an administrator alone."""
    if user is None or not user.is_active or isinstance(actor, AnonymousUser):
        return False
    if Role.ADMIN in actor.roles:
        return True
    return Role.HR in actor.roles and sign_in_state(user) == "waiting" and not user.roles & set(STAFF_ROLES)


def issue_link(request: HttpRequest, user: User | None) -> str:
    """The address at which the user sets a password; recorded, since whoever holds it can sign in."""
    if user is None or not may_link(request.user, user):
        raise Http404
    path = operations.issue_link(user=user, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    return links.absolute(path, company=shown.company_of(request))


@allow(Role.ADMIN)
def people(request: HttpRequest) -> HttpResponse:
    """Everyone with more than an employee's role, and a form to invite a clerk."""
    return _people(request, InviteForm(company=shown.company_of(request)))


@allow(Role.ADMIN)
@require_POST
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody who is not on the roster, and show their activation link."""
    form = InviteForm(request.POST, company=shown.company_of(request))
    if not form.is_valid():
        return _people(request, form, status=422)
    data = form.cleaned_data
    try:
        user = operations.invite(
            username=data["email"],
            name=data["name"],
            email=data["email"],
            roles=[Role(role) for role in data["roles"]],
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return _people(request, form, status=422)
    messages.success(request, _("%(name)s was added. Hand over the activation link.") % {"name": user})
    return redirect("company_person", pk=user.pk)


def _people(request: HttpRequest, form: InviteForm, *, status: int = 200) -> HttpResponse:
    users = (
        User.objects.filter(groups__name__in=[str(role) for role in STAFF_ROLES])
        .distinct()
        .select_related("employee__department")
        .prefetch_related("groups")
        .order_by("name", "username")
    )
    context = {"section": "people", "form": form, "rows": [_row(user) for user in users]}
    return render(request, "company/people.html", context, status=status)


def _row(user: User) -> dict[str, Any]:
    held = {group.name for group in user.groups.all()}
    return {
        "user": user,
        "employee": getattr(user, "employee", None),
        "roles": [LABELS[role] for role in STAFF_ROLES if role in held],
        "sign_in": sign_in_state(user),
    }


@allow(Role.ADMIN)
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person's roles."""
    user = get_object_or_404(User.objects.select_related("employee"), pk=pk)
    company = shown.company_of(request)
    if request.method != "POST":
        form = RolesForm(company=company, initial={"roles": sorted(user.roles & set(STAFF_ROLES))})
        return _person(request, user, form)
    form = RolesForm(request.POST, company=company)
    if not form.is_valid():
        return _person(request, user, form, status=422)
    kept = {Role(role) for role in user.roles if role not in STAFF_ROLES}
    try:
        operations.set_roles(
            user=user,
            roles=kept | {Role(role) for role in form.cleaned_data["roles"]},
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return _person(request, user, form, status=error.status)
    messages.success(request, _("The roles of %(name)s were saved.") % {"name": user})
    return redirect("company_person", pk=user.pk)


@allow(Role.ADMIN)
@require_POST
def access(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a clerk's access, or open it again; an employee's follows the roster."""
    user = get_object_or_404(User, pk=pk, employee=None)
    operations.set_active(user=user, is_active=not user.is_active, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    done = _("%(name)s can sign in again.") if user.is_active else _("%(name)s can no longer sign in.")
    messages.success(request, done % {"name": user})
    return redirect("company_person", pk=pk)


@allow(Role.ADMIN)
@require_POST
def second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away a lost second factor."""
    user = get_object_or_404(User, pk=pk)
    operations.reset_second_factor(user=user, actor=request.user, at=timezone.now())  # type: ignore[arg-type]
    messages.success(request, _("At the next sign-in %(name)s sets up a new second factor.") % {"name": user})
    return redirect("company_person", pk=pk)


@allow(Role.ADMIN)
@require_POST
@never_cache
def link(request: HttpRequest, pk: int) -> HttpResponse:
    """Make an activation link and show it once, to be handed over."""
    user = get_object_or_404(User.objects.select_related("employee"), pk=pk)
    form = RolesForm(
        company=shown.company_of(request), initial={"roles": sorted(user.roles & set(STAFF_ROLES))}
    )
    return _person(request, user, form, link=issue_link(request, user))


def _person(
    request: HttpRequest, user: User, form: RolesForm, *, link: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "section": "people",
        "person": user,
        "employee": getattr(user, "employee", None),
        "form": form,
        "link": link,
        "sign_in": sign_in_state(user),
        "is_self": user == request.user,
        "may_link": may_link(request.user, user),
        "has_second_factor": is_mfa_enabled(user),
    }
    return render(request, "company/person.html", context, status=status)
