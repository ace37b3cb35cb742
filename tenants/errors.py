"""What a person can cause, understand and act on. Anything else is a bug and crashes.

The family gives the HTTP status, the `code` is stable and documented in docs/errors.md,
the message is translated when it is shown and takes its facts by name.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal with a stable code, a sentence for the reader and the facts behind it.

    A fact in fen, `needed_fen`, can be told in yuan as `%(needed_yuan)s`.
    """

    status = 400
    code = "error"
    message: Any = _("This is not possible.")

    def __init__(self, **details: Any) -> None:
        super().__init__(self.code)
        self.details = details

    def __str__(self) -> str:
        yuan = {
            f"{key[:-4]}_yuan": f"{value // 100:,}.{value % 100:02d}"
            for key, value in self.details.items()
            if key.endswith("_fen") and isinstance(value, int)
        }
        return str(self.message) % {**self.details, **yuan}

    def as_dict(self) -> dict[str, Any]:
        """The one shape of an error, for API, JSON commands and callbacks."""
        details = {
            key: value if isinstance(value, (int, bool, list, dict)) else str(value)
            for key, value in self.details.items()
        }
        return {"error": {"code": self.code, "message": str(self), "details": details}}


class Malformed(DomainError):
    """The request cannot be read."""

    status = 400


class Forbidden(DomainError):
    """The actor may not do this."""

    status = 403


class NotFound(DomainError):
    """There is no such thing, or the actor may not see it."""

    status = 404


class Conflict(DomainError):
    """What is there now does not allow it."""

    status = 409


class Invalid(DomainError):
    """A field does not hold what it must."""

    status = 422


class TooMany(DomainError):
    """More than the limit allows; try again later."""

    status = 429


class CompanyNotFound(NotFound):
    """No company has this schema name."""

    code = "company_not_found"
    message = _("There is no company “%(schema)s”. Check the name, or open it first.")

    def __init__(self, *, schema: str) -> None:
        super().__init__(schema=schema)


class CompanyExists(Conflict):
    """The schema name or the domain is taken."""

    code = "company_exists"
    message = _("“%(value)s” is already taken by a company. Choose another.")

    def __init__(self, *, value: str) -> None:
        super().__init__(value=value)


class InvalidSchemaName(Invalid):
    """A schema name is lower-case letters, digits and underscores."""

    code = "invalid_schema_name"
    message = _(
        "“%(schema)s” cannot name a company: use 2 to 40 lower-case letters, digits or _, beginning with a letter."
    )

    def __init__(self, *, schema: str) -> None:
        super().__init__(schema=schema)


class InvalidDomain(Invalid):
    """A domain is a host name without port or path."""

    code = "invalid_domain"
    message = _("“%(domain)s” is not a host name. Give it without http:// and port, like acme.example.com.")

    def __init__(self, *, domain: str) -> None:
        super().__init__(domain=domain)


class InvalidCreditCode(Invalid):
    """The unified social credit code fails its check digit (GB 32100-2015)."""

    code = "invalid_credit_code"
    message = _("“%(value)s” is not a unified social credit code: it has 18 characters and a check digit.")

    def __init__(self, *, value: str) -> None:
        super().__init__(value=value)


class InvalidColour(Invalid):
    """A brand colour is written as #RRGGBB."""

    code = "invalid_colour"
    message = _("“%(value)s” is not a colour. Write # and six digits or letters a to f, like #1f6f5c.")

    def __init__(self, *, value: str) -> None:
        super().__init__(value=value)


class ColourTooLight(Invalid):
    """White text cannot be read on this brand colour, nor the colour on white."""

    code = "colour_too_light"
    message = _(
        "“%(value)s” is too light on white: its contrast is %(contrast)s : 1 and must be at least 4.5 : 1. "
        "Choose a darker one."
    )

    def __init__(self, *, value: str, contrast: str) -> None:
        super().__init__(value=value, contrast=contrast)


class CompanySuspended(Forbidden):
    """The company is suspended or closed: nothing of it moves."""

    code = "company_suspended"
    message = _("The company is suspended. Ask the platform operator.")


class IllegalTransition(Conflict):
    """The thing has moved on, so this step is no longer open to it."""

    code = "illegal_transition"
    message = _("This is now “%(status)s”, so this step is no longer possible. Reload the page.")

    def __init__(self, *, status: str) -> None:
        super().__init__(status=status)
