"""How the sign-in library is bent to the mall: nobody signs up, limits are told, second-factor secrets are sealed."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tenants import audit
from tenants.crypto import decrypt, encrypt
from tenants.db import connection, transaction
from tenants.identity.models import User

_LIMITS = "allauth.account"
# Failures for one name from anywhere: far above what its owner needs, far below what guessing needs.
_NAME_LIMIT = {"login_name": "100/h/key"}


class AccountAdapter(DefaultAccountAdapter):
    """People come from the roster or from an administrator, never by signing up."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        **dict.fromkeys(
            ["username_password_mismatch", "email_password_mismatch", "phone_password_mismatch"],
            _("This name and password do not belong together. Check both and try again."),
        ),
        "incorrect_password": _("This is not your password."),
        "enter_current_password": _("This is not your present password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Only addresses of the very host: another company's is as foreign as any."""
        return bool(url_has_allowed_host_and_scheme(url, allowed_hosts={context.request.get_host()}))

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: the page that follows shows what was done."""

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A fresh sign-in is as good as giving the password once more."""
        records = get_authentication_records(context.request, context.request.user)
        return not (records and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt against address and name; one over the limit is told how long it lasts."""
        key = self._get_login_attempts_cache_key(request, **credentials)
        usage = ratelimit.consume(request, app=_LIMITS, action="login_failed", key=key)
        if not usage:
            raise too_many_attempts(_seconds_left(request, key=key))
        self._login_failed_rl_usage = usage
        name = key.rpartition(":")[2]
        total = ratelimit.consume(request, app=_LIMITS, action="login_name", config=_NAME_LIMIT, key=name)
        if not total:
            raise too_many_attempts(3600)
        usage.usage.extend(total.usage)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # With the address in it, a stranger who guesses at somebody's password locks out nobody but himself.
        name = str(credentials.get("username", "")).strip().casefold()
        return f"{connection.schema_name}:{self.get_client_ip(request)}:{name}"

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Leave a trace of the sign-in."""
        with transaction():
            audit.record("user.signed_in", user, actor=user, at=timezone.now())
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response


def too_many_attempts(seconds: float) -> ValidationError:
    """The refusal that says how many minutes it lasts."""
    minutes = max(1, -(-int(seconds) // 60))
    message = ngettext(
        "Too many failed attempts. Try again in %(minutes)d minute, or ask your administrator.",
        "Too many failed attempts. Try again in %(minutes)d minutes, or ask your administrator.",
        minutes,
    )
    return ValidationError(message, code="too_many_attempts", params={"minutes": minutes})


def _seconds_left(request: HttpRequest, *, key: str) -> float:
    """How long until one more attempt is allowed, by the limit that lasts longest."""
    now, longest = time.time(), 0.0
    for rate in ratelimit.get_rates(app=_LIMITS, action="login_failed"):
        history = cache.get(
            ratelimit.get_cache_key(request, app=_LIMITS, action="login_failed", rate=rate, key=key), []
        )
        if len(history) >= rate.amount:
            longest = max(longest, history[rate.amount - 1] + rate.duration - now)
    return longest


class MFAAdapter(DefaultMFAAdapter):
    """Seal the secrets of second factors for the schema they belong to."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code is wrong or was used already. Wait for the next one."),
        "cannot_delete_authenticator": _("Your role needs a second factor, so it cannot be taken away."),
    }

    def encrypt(self, text: str) -> str:
        return encrypt(text, schema=connection.schema_name, purpose="mfa")

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text, schema=connection.schema_name, purpose="mfa")

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not authenticator.user.needs_second_factor

    def get_totp_issuer(self) -> str:
        tenant: Any = connection.tenant
        return str(getattr(tenant, "name", "") or super().get_totp_issuer())
