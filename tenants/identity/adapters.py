"""How the sign-in library is bent to the mall: nobody signs up, and second-factor secrets are sealed."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.db import connection
from django.http import HttpRequest

from tenants.crypto import decrypt, encrypt


class AccountAdapter(DefaultAccountAdapter):
    """People come from the roster or from an administrator, never by signing up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class MFAAdapter(DefaultMFAAdapter):
    """Seal the secrets of second factors for the schema they belong to."""

    def encrypt(self, text: str) -> str:
        return encrypt(text, schema=connection.schema_name, purpose="mfa")

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text, schema=connection.schema_name, purpose="mfa")

    def get_totp_issuer(self) -> str:
        tenant: Any = connection.tenant
        return str(getattr(tenant, "name", "") or super().get_totp_issuer())
