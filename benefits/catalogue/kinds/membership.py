"""Memberships: delivered to the mobile number or the e-mail address that the member signs in with."""

import re

from django.utils.translation import gettext_lazy as _

from benefits import mobile
from benefits.catalogue.kinds.base import Kind

_EMAIL = re.compile(r"^[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")


def clean(text: str) -> str | None:
    """A mainland mobile number, or an e-mail address in lower case of the domain as typed."""
    number = mobile.clean(text)
    if number is not None:
        return number
    stripped = text.strip()
    return stripped if len(stripped) <= 120 and _EMAIL.match(stripped) else None


def mask(account: str) -> str:
    """138 **** 8000, or a***@example.com."""
    if "@" not in account:
        return mobile.masked(account)
    name, _at, domain = account.partition("@")
    return f"{name[:1]}***@{domain}"


MEMBERSHIP = Kind(
    slug="membership",
    template="portal/kinds/membership.html",
    field_label=_("Account of the membership (mobile number or e-mail)"),
    problem=_("Enter the mobile number or e-mail address with which you sign in to this service."),
    clean=clean,
    mask=mask,
)
