"""Who may use a view. Every view declares it; one that does not is closed to everyone."""

from collections.abc import Callable
from typing import Any, TypeVar

from tenants.identity.roles import Role

View = TypeVar("View", bound=Callable[..., Any])

ANYONE = "anyone"
SIGNED_IN = "signed_in"
NOBODY = "nobody"


def allow(*who: Role | str) -> Callable[[View], View]:
    """Declare who may use a view: roles, SIGNED_IN for anyone of the host's schema who signed in, or ANYONE."""

    def declare(view: View) -> View:
        view.allowed = frozenset(str(one) for one in who)  # type: ignore[attr-defined]
        return view

    return declare


# Views of libraries, by the name under which they are mounted: route name or namespace → who.
LIBRARY_VIEWS: dict[str, frozenset[str]] = {
    "account_login": frozenset({ANYONE}),
    "account_logout": frozenset({SIGNED_IN}),
    "account_reauthenticate": frozenset({SIGNED_IN}),
    "account_change_password": frozenset({SIGNED_IN}),
    "mfa_authenticate": frozenset({ANYONE}),
    "mfa_reauthenticate": frozenset({SIGNED_IN}),
    "mfa_index": frozenset({SIGNED_IN}),
    "mfa_activate_totp": frozenset({SIGNED_IN}),
    "mfa_deactivate_totp": frozenset({SIGNED_IN}),
    "mfa_generate_recovery_codes": frozenset({SIGNED_IN}),
    "mfa_view_recovery_codes": frozenset({SIGNED_IN}),
    "mfa_download_recovery_codes": frozenset({SIGNED_IN}),
    "set_language": frozenset({ANYONE}),
    # Passwords of single pages and documents, which the mall does not use.
    "wagtaildocs_authenticate_with_password": frozenset({NOBODY}),
    "wagtailcore_authenticate_with_password": frozenset({NOBODY}),
    "wagtailcore_login": frozenset({NOBODY}),
    "wagtail_serve": frozenset(
        {Role.EMPLOYEE, Role.HR, Role.APPROVER, Role.EDITOR, Role.FINANCE, Role.ADMIN}
    ),
    "wagtaildocs_serve": frozenset(
        {Role.EMPLOYEE, Role.HR, Role.APPROVER, Role.EDITOR, Role.FINANCE, Role.ADMIN}
    ),
}
# Whole trees of a library, by their first path segment on the company's host.
LIBRARY_TREES: dict[str, frozenset[str]] = {
    "cms": frozenset({Role.EDITOR, Role.ADMIN}),
}
# Reachable before a second factor is set up by somebody who must have one.
BEFORE_SECOND_FACTOR = frozenset(
    {
        "account_logout",
        "account_reauthenticate",
        "mfa_reauthenticate",
        "mfa_activate_totp",
        "mfa_index",
        "set_language",
    }
)


def allowed_for(view: Callable[..., Any], *, route: str, path: str) -> frozenset[str]:
    """Who may use what this path resolved to; empty means nobody, which is what an undeclared view gets."""
    declared = getattr(view, "allowed", None) or getattr(getattr(view, "view_class", None), "allowed", None)
    if declared is not None:
        return frozenset(declared)
    if route in LIBRARY_VIEWS:
        return LIBRARY_VIEWS[route]
    return LIBRARY_TREES.get(path.strip("/").split("/", 1)[0], frozenset())
