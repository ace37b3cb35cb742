"""The roles of the product. A role is a Django group of the same name in the schema where its people sign in."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _


class Role(StrEnum):
    """Who somebody is to the mall."""

    EMPLOYEE = "employee"
    HR = "hr"
    APPROVER = "approver"
    EDITOR = "editor"
    FINANCE = "finance"
    ADMIN = "admin"
    OPERATOR = "operator"
    PLATFORM_FINANCE = "platform_finance"
    PLATFORM_ADMIN = "platform_admin"


COMPANY_ROLES = (Role.EMPLOYEE, Role.HR, Role.APPROVER, Role.EDITOR, Role.FINANCE, Role.ADMIN)
PLATFORM_ROLES = (Role.OPERATOR, Role.PLATFORM_FINANCE, Role.PLATFORM_ADMIN)

# Who must sign in with a second factor: the platform's staff and the company's administrators.
SECOND_FACTOR_ROLES = frozenset({*PLATFORM_ROLES, Role.ADMIN})

LABELS = {
    Role.EMPLOYEE: _("Employee"),
    Role.HR: _("HR officer"),
    Role.APPROVER: _("Approver"),
    Role.EDITOR: _("Content editor"),
    Role.FINANCE: _("Finance clerk"),
    Role.ADMIN: _("Company administrator"),
    Role.OPERATOR: _("Platform operator"),
    Role.PLATFORM_FINANCE: _("Platform finance"),
    Role.PLATFORM_ADMIN: _("Platform administrator"),
}
