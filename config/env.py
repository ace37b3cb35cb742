"""Strict readers of environment variables: a wrong or missing value stops the start with a sentence that says what to set."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

MODES = ("development", "production")
SECRET_LENGTH = 32  # characters a production secret has at least

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class WrongSetting(ImproperlyConfigured):
    """An environment variable that is missing or can't be understood; the message says what to set."""


def production() -> bool:
    """True where `MALL_ENV=production`: secrets must then be set, and nothing is started by itself."""
    return env_str("MALL_ENV", "development", choices=MODES) == "production"


def env_str(name: str, default: str | None = None, *, choices: Sequence[str] = ()) -> str:
    """The text of `name`; empty counts as unset, and without a default it must be set."""
    value = _read(name)
    if value is None:
        if default is None:
            raise WrongSetting(f"Set {name}: it has no default.")
        return default
    if choices and value not in choices:
        raise WrongSetting(f"{name} is {value!r}; set it to one of: {', '.join(choices)}.")
    return value


def env_bool(name: str, default: bool | None = None) -> bool:
    """Yes or no: 1/true/yes/on or 0/false/no/off."""
    value = _read(name)
    if value is None:
        if default is None:
            raise WrongSetting(f"Set {name} to 1 or 0: it has no default.")
        return default
    word = value.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise WrongSetting(f"{name} is {value!r}; set it to 1 (yes) or 0 (no).")


def env_int(
    name: str, default: int | None = None, *, least: int | None = None, most: int | None = None
) -> int:
    """A whole number between `least` and `most`, both allowed."""
    value = _read(name)
    if value is None:
        if default is None:
            raise WrongSetting(f"Set {name} to a whole number: it has no default.")
        return default
    if not value.removeprefix("-").isascii() or not value.removeprefix("-").isdigit():
        raise WrongSetting(f"{name} is {value!r}; set it to a whole number.")
    number = int(value)
    if least is not None and number < least:
        raise WrongSetting(f"{name} is {number}; set it to {least} or more.")
    if most is not None and number > most:
        raise WrongSetting(f"{name} is {number}; set it to {most} or less.")
    return number


def env_list(name: str, default: Sequence[str] | None = None) -> list[str]:
    """Values separated by commas; blanks around them and empty ones are dropped."""
    value = _read(name)
    if value is None:
        if default is None:
            raise WrongSetting(f"Set {name} to a list separated by commas: it has no default.")
        return list(default)
    return [item for item in (part.strip() for part in value.split(",")) if item]


def env_secret(name: str, *, development: str) -> str:
    """A secret: `development` is used in development alone, and production refuses it, a short one and none."""
    return env_secrets(name, development=[development])[0]


def env_secrets(name: str, *, development: Sequence[str]) -> list[str]:
    """Secrets separated by commas, the current one first, the ones it replaced after it."""
    secrets = env_list(name, [] if production() else development)
    if not secrets:
        raise WrongSetting(
            f"Set {name} to a secret of {SECRET_LENGTH} random characters or more: production has no default for it."
        )
    if production():
        for secret in secrets:
            if secret in development:
                raise WrongSetting(
                    f"{name} is the one that development uses; set it to a secret of your own."
                )
            if len(secret) < SECRET_LENGTH:
                raise WrongSetting(
                    f"{name} has {len(secret)} characters; set it to a random secret of {SECRET_LENGTH} or more."
                )
    return secrets


def env_signing_keys(name: str, *, development: Sequence[str]) -> list[str]:
    """Secrets that sign, the current one first; one that was replaced may be kept as `public:` and its public key."""
    keys = env_secrets(name, development=development)
    if keys[0].startswith("public:"):
        raise WrongSetting(f"{name} begins with a public key; put the secret that signs first.")
    for key in keys:
        if key.startswith("public:") and not re.fullmatch("public:[0-9a-f]{64}", key):
            raise WrongSetting(
                f"{name} has a public key that can't be read; write `public:` and its 64 hexadecimal digits."
            )
    return keys


def env_url(name: str, default: str | None = None, *, schemes: Sequence[str] = ()) -> str:
    """A URL whose scheme is one of `schemes`; the message never repeats the URL, which may hold a password."""
    value = env_str(name, default)
    scheme = urlsplit(value).scheme
    if schemes and scheme not in schemes:
        raise WrongSetting(
            f"{name} begins with {scheme!r}; set it to a URL that begins with {' or '.join(schemes)}."
        )
    return value


def env_database(name: str, default: str | None = None) -> dict[str, Any]:
    """Django's description of the PostgreSQL database that a `postgresql://` URL names, as libpq reads it.

    A unix socket is given as `postgresql:///mall?host=/folder&user=mall`.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    url = env_url(name, default, schemes=("postgresql", "postgres"))
    try:
        options: dict[str, Any] = dict(conninfo_to_dict(url))
        if not all(port.isdigit() for port in str(options.get("port") or "0").split(",")):
            raise ProgrammingError("the port is no number")
    except ProgrammingError as error:
        raise WrongSetting(
            f"{name} can't be read as postgresql://user:password@host:5432/database; set it so."
        ) from error
    if not options.get("dbname"):
        raise WrongSetting(f"{name} names no database; end it with /database.")
    return {
        "NAME": options.pop("dbname"),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": str(options.pop("port", "")),
        "OPTIONS": options,
    }


@dataclass(frozen=True)
class Mail:
    """How mail leaves, as Django's settings want it."""

    backend: str
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False


def env_email(name: str, default: str | None = None) -> Mail:
    """How mail leaves: `console://`, `file://`, `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`."""
    parts = urlsplit(env_url(name, default, schemes=("console", "file", "smtp", "smtps")))
    backends = "django.core.mail.backends"
    if parts.scheme in ("console", "file"):
        module = "console" if parts.scheme == "console" else "filebased"
        return Mail(f"{backends}.{module}.EmailBackend")
    try:
        port = parts.port or (465 if parts.scheme == "smtps" else 587)
    except ValueError:
        port = 0
    if not parts.hostname or not port:
        raise WrongSetting(f"{name} names no server; set it to {parts.scheme}://user:password@host:port.")
    return Mail(
        f"{backends}.smtp.EmailBackend",
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp" and bool(parts.username),  # a password is never sent in the clear
        tls=parts.scheme == "smtps",
    )


def _read(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None
