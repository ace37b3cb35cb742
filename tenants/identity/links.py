"""Activation links: one use, a week, bound to the schema that made them; and absolute addresses of a company."""

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from tenants.db import connection
from tenants.identity.models import User
from tenants.models import Company


class _ActivationTokens(PasswordResetTokenGenerator):
    """Dead once a password has been set or somebody signed in; another company's does not fit."""

    key_salt = "tenants.identity.activation"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{connection.schema_name}\x00{super()._make_hash_value(user, timestamp)}"


_tokens = _ActivationTokens()


def activation_path(user: User) -> str:
    """The path at which this user of the current schema sets a first (or new) password."""
    uid = urlsafe_base64_encode(str(user.pk).encode())
    return reverse("activate", args=[uid, _tokens.make_token(user)], urlconf=settings.ROOT_URLCONF)


def find_activation(uid: str, token: str) -> User | None:
    """The user of the current schema whom a link is for, or None where it is wrong, used or too old."""
    try:
        pk = int(force_str(urlsafe_base64_decode(uid)))
    except (ValueError, OverflowError):
        return None
    user = User.objects.filter(pk=pk, is_active=True).first() if pk < 2**63 else None
    return user if user is not None and _tokens.check_token(user, token) else None


def absolute(path: str, *, company: Company | None = None) -> str:
    """A path as an address on the company's primary domain (never on the host of a request), or on the platform's."""
    domain = settings.PLATFORM_DOMAIN
    if company is not None:
        domain = company.domains.order_by("-is_primary", "id").values_list("domain", flat=True)[0]
    scheme, usual = ("https", 443) if settings.HTTPS else ("http", 80)
    port = "" if usual == settings.PUBLIC_PORT else f":{settings.PUBLIC_PORT}"
    return f"{scheme}://{domain}{port}{path}"
