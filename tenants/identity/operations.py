"""Users: invite, give roles, set a password, close."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.db import IntegrityError

from tenants import audit
from tenants.db import savepoint, transaction, transaction_required
from tenants.identity import links
from tenants.identity.errors import OwnAccess, UserExists
from tenants.identity.models import User
from tenants.identity.roles import Role


@transaction_required
def add_user(
    *, username: str, name: str, email: str, roles: Iterable[Role], actor: User | None, at: datetime
) -> User:
    """Create somebody who can sign in once they followed their activation link. Raises UserExists."""
    try:
        with savepoint():
            user = User.objects.create_user(username, name=name, email=email)
    except IntegrityError:
        raise UserExists(name=username) from None
    set_roles_of(user=user, roles=roles)
    audit.record("user.added", user, actor=actor, at=at, roles=sorted(str(role) for role in roles))
    return user


@transaction_required
def set_roles_of(*, user: User, roles: Iterable[Role]) -> None:
    """Give exactly these roles."""
    user.groups.set(Group.objects.filter(name__in=[str(role) for role in roles]))
    user.__dict__.pop("roles", None)


@transaction
def invite(
    *, username: str, name: str, email: str, roles: Iterable[Role], actor: User | None, at: datetime
) -> User:
    """Create somebody who is not on the roster: platform staff, or a company's own clerk. Raises UserExists."""
    return add_user(username=username, name=name, email=email, roles=list(roles), actor=actor, at=at)


@transaction
def set_roles(*, user: User, roles: Iterable[Role], actor: User, at: datetime) -> None:
    """Change what somebody may do; felt at their next request. Raises OwnAccess."""
    if user.pk == actor.pk:
        raise OwnAccess
    before = sorted(user.roles)
    set_roles_of(user=user, roles=list(roles))
    audit.record("user.roles", user, actor=actor, at=at, before=before, after=sorted(user.roles))


@transaction
def set_password(*, user: User, password: str, actor: User, at: datetime) -> None:
    """Set a password; every other session of the user ends."""
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record("user.password", user, actor=actor, at=at)


@transaction
def set_active(*, user: User, is_active: bool, actor: User, at: datetime) -> None:
    """Close somebody's access, or open it again; every session ends with it. Raises OwnAccess."""
    if user.pk == actor.pk:
        raise OwnAccess
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    audit.record("user.opened" if is_active else "user.closed", user, actor=actor, at=at)


@transaction
def reset_second_factor(*, user: User, actor: User, at: datetime) -> None:
    """Take away a lost second factor: at the next sign-in a role that needs one asks for a new one. Raises OwnAccess."""
    if user.pk == actor.pk:
        raise OwnAccess
    Authenticator.objects.filter(user=user).delete()
    audit.record("user.second_factor_reset", user, actor=actor, at=at)


@transaction
def issue_link(*, user: User, actor: User, at: datetime) -> str:
    """The path of an activation link for somebody of the current schema; that it was issued is recorded."""
    audit.record("user.link_issued", user, actor=actor, at=at)
    return links.activation_path(user)


@transaction
def issue_links(*, users: Sequence[User], actor: User, at: datetime) -> list[str]:
    """The paths of activation links for many of the current schema, in their order; each is recorded."""
    audit.record_each("user.link_issued", ((user, {}) for user in users), actor=actor, at=at)
    return [links.activation_path(user) for user in users]
