"""What may name a company, its domain and its legal person, and colour its pages."""

import math
import re

import stdnum.cn.uscc
from stdnum.exceptions import ValidationError as InvalidNumber

from tenants.colours import WHITE, contrast, parse
from tenants.errors import ColourTooLight, InvalidColour, InvalidCreditCode, InvalidDomain, InvalidSchemaName

SCHEMA_NAME = re.compile(r"^(?!pg_)[a-z][a-z0-9_]{1,39}\Z")
RESERVED = frozenset({"public", "information_schema", "company_template"})
LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
DOMAIN = re.compile(rf"^{LABEL}(\.{LABEL})*\Z")
READABLE = 4.5  # WCAG 2 AA, for text of ordinary size


def clean_schema_name(value: str) -> str:
    """The name as given, or InvalidSchemaName."""
    if not SCHEMA_NAME.match(value) or value in RESERVED:
        raise InvalidSchemaName(schema=value)
    return value


def clean_domain(value: str) -> str:
    """The host name in lower case without a trailing dot, or InvalidDomain."""
    domain = value.strip().lower().rstrip(".")
    if len(domain) > 253 or not DOMAIN.match(domain):
        raise InvalidDomain(domain=value)
    return domain


def clean_credit_code(value: str) -> str:
    """A unified social credit code (GB 32100-2015) in its compact form, or InvalidCreditCode; empty stays empty."""
    if not value.strip():
        return ""
    try:
        return str(stdnum.cn.uscc.validate(value))
    except InvalidNumber as error:
        raise InvalidCreditCode(value=value) from error


def clean_colour(value: str) -> str:
    """A colour that can be read on white, as #rrggbb, or InvalidColour, ColourTooLight; empty stays empty."""
    colour = value.strip().lower()
    if not colour:
        return ""
    parts = parse(colour)
    if parts is None:
        raise InvalidColour(value=value)
    ratio = contrast(parts, WHITE)
    if ratio < READABLE:
        raise ColourTooLight(value=value, contrast=f"{math.floor(ratio * 100) / 100:.2f}")
    return colour
