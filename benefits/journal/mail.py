"""The mail by which a checkpoint leaves our reach: to the company's finance people, and to the platform's."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django_tenants.utils import schema_context

from benefits.journal import statements
from benefits.journal.models import Checkpoint
from benefits.journal.verify import canonical
from tenants.db import connection
from tenants.identity.models import User
from tenants.identity.roles import Role


def send(checkpoint: Checkpoint) -> int:
    """Send a checkpoint to everybody who keeps it for us; returns how many mails left. Their server's errors are raised."""
    statement = statements.signed(checkpoint)
    data = canonical(statement) + b"\n"
    name = f"anchor-{statement['company']}-{checkpoint.number}.json"
    for address, language in (people := recipients()):
        with translation.override(language or settings.LANGUAGE_CODE):
            message = EmailMessage(
                subject=_("The journal of %(company)s is sealed up to record %(last)d")
                % {"company": statement["company"], "last": checkpoint.last},
                body=render_to_string("mail/anchor.txt", {"statement": statement}),
                to=[address],
            )
        message.attach(name, data, "application/json")
        message.send()
    return len(people)


def recipients() -> list[tuple[str, str]]:
    """(address, language) of the company's finance people, else of its administrators, and of the platform's finance."""
    found: list[tuple[str, str]] = []
    if connection.schema_name != "public":
        found = _with_role(Role.FINANCE) or _with_role(Role.ADMIN)
    with schema_context("public"):
        found += _with_role(Role.PLATFORM_FINANCE) or _with_role(Role.PLATFORM_ADMIN)
    return found


def _with_role(role: Role) -> list[tuple[str, str]]:
    people = User.objects.filter(groups__name=role, is_active=True).exclude(email="").order_by("pk")
    return list(people.values_list("email", "language"))
