"""Who may do what on the platform's host."""

from django.http import HttpRequest

from tenants.access import allow
from tenants.identity.models import User
from tenants.identity.roles import Role

EVERYONE = frozenset({Role.OPERATOR, Role.PLATFORM_FINANCE, Role.PLATFORM_ADMIN})
OPERATORS = frozenset({Role.OPERATOR, Role.PLATFORM_ADMIN})
FINANCE = frozenset({Role.PLATFORM_FINANCE})
AUDITORS = frozenset({Role.PLATFORM_FINANCE, Role.PLATFORM_ADMIN})
ADMINISTRATORS = frozenset({Role.PLATFORM_ADMIN})

everyone = allow(*EVERYONE)
operators = allow(*OPERATORS)
finance = allow(*FINANCE)
auditors = allow(*AUDITORS)
administrators = allow(*ADMINISTRATORS)


def may(request: HttpRequest, roles: frozenset[Role]) -> bool:
    """Whether the reader has one of these roles, so that a page offers only what they may do."""
    return bool(roles & person(request).roles)


def person(request: HttpRequest) -> User:
    """Who asks. Every view here is declared for roles, so it is never a stranger."""
    assert isinstance(request.user, User)
    return request.user
