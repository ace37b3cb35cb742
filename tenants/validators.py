"""What may name a company, its domain and its legal person."""

import re

import stdnum.cn.uscc
from stdnum.exceptions import ValidationError as InvalidNumber

from tenants.errors import InvalidCreditCode, InvalidDomain, InvalidSchemaName

SCHEMA_NAME = re.compile(r"^(?!pg_)[a-z][a-z0-9_]{1,39}\Z")
RESERVED = frozenset({"public", "information_schema", "company_template"})
LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
DOMAIN = re.compile(rf"^{LABEL}(\.{LABEL})*\Z")


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
