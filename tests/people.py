"""Arranging people who sign in: somebody with roles in the current schema, and a client that is them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context

from tenants.db import transaction
from tenants.identity import operations
from tenants.identity.models import User
from tenants.identity.roles import Role

AT = datetime(2026, 1, 5, 2, tzinfo=UTC)
PASSWORD = "correct horse battery"


def somebody(*roles: Role, name: str = "", password: str = PASSWORD, second_factor: bool = True) -> User:
    """A person of the current schema with a password and, where the role needs one, a second factor."""
    login = name or "-".join(str(role) for role in roles) or "nobody"
    with transaction():
        user = operations.add_user(
            username=f"{login}@example.com", name=login, email="", roles=roles, actor=None, at=AT
        )
    user.set_password(password)
    user.save()
    if second_factor and user.needs_second_factor:
        TOTP.activate(user, generate_totp_secret())
    return user


def client_of(user: User | None, *, host: str = settings.PLATFORM_DOMAIN, **more: Any) -> Client:
    """A browser at a host, signed in as a person of the current schema."""
    client = Client(headers={"host": host}, **more)
    if user is not None:
        client.force_login(user)
    return client


def in_schema(schema: str, roles: Iterable[Role], *, name: str = "") -> Client:
    """A browser signed in as a new person with roles, at the host of a schema."""
    host = settings.PLATFORM_DOMAIN if schema == "public" else f"{schema}.localhost"
    with schema_context(schema):
        client = client_of(somebody(*roles, name=name), host=host)
    assert connection.schema_name
    return client
