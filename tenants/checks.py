"""System checks of the floor: settings by which one company could see another."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections


@register()
def tenancy(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a cache, sessions, cookies or hosts that are not kept apart by company."""
    found: list[CheckMessage] = []
    for alias, cache in settings.CACHES.items():
        if cache.get("KEY_FUNCTION") != "django_tenants.cache.make_key":
            found.append(
                Error(f"Cache {alias!r} is not keyed by company.", hint="Set KEY_FUNCTION.", id="mall.E001")
            )
    if settings.SESSION_ENGINE != "django.contrib.sessions.backends.db":
        found.append(Error("Sessions must be rows of the company's schema.", id="mall.E002"))
    if settings.SESSION_COOKIE_DOMAIN or settings.CSRF_COOKIE_DOMAIN:
        found.append(Error("Cookies must be host-only.", id="mall.E003"))
    if any("*" in origin for origin in settings.CSRF_TRUSTED_ORIGINS):
        found.append(Error("No wildcard in CSRF_TRUSTED_ORIGINS.", id="mall.E004"))
    if settings.USE_X_FORWARDED_HOST:
        found.append(Error("The Host header alone says which company is meant.", id="mall.E005"))
    if settings.PRODUCTION and (not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS):
        found.append(
            Error("Set ALLOWED_HOSTS to the platform's and the companies' host names.", id="mall.E006")
        )
    if not issubclass_storage(settings.STORAGES["default"]["BACKEND"]):
        found.append(Error("Files must be kept apart by company.", id="mall.E007"))
    if getattr(settings, "SHOW_PUBLIC_IF_NO_TENANT_FOUND", False):
        found.append(Error("A host that is no company's gets a 404.", id="mall.E008"))
    return found


@register(Tags.database)
def pooler(app_configs: Any = None, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a pooler that gives one connection's transactions to several servers: it loses the company in between."""
    if not databases or "default" not in databases or not pools_transactions():
        return []
    return [
        Error(
            "The pooler in front of the database pools transactions, so that one company's queries reach another's schema.",
            hint="Set pool_mode = session, or connect without it.",
            id="mall.E009",
        )
    ]


def pools_transactions() -> bool:
    """Whether a connection loses its server to another one that begins a transaction after it."""
    parameters = connections["default"].get_connection_params()
    parameters.pop("pool", None)
    with (
        psycopg.connect(**parameters, autocommit=True) as first,
        psycopg.connect(**parameters, autocommit=True) as second,
    ):
        before = first.execute("SELECT pg_backend_pid()").fetchone()
        with second.transaction():
            second.execute("SELECT pg_backend_pid()")
            after = first.execute("SELECT pg_backend_pid()").fetchone()
    return bool(before != after)


def issubclass_storage(path: str) -> bool:
    """Whether a storage class keeps one folder a company."""
    from django.utils.module_loading import import_string

    from tenants.storage import CompanyStorage

    return issubclass(import_string(path), CompanyStorage)
