from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email

from tenants.commands import JsonCommand
from tenants.identity import links, operations
from tenants.identity.roles import PLATFORM_ROLES, Role


class Command(JsonCommand):
    help = "Add somebody who works for the platform and print the link at which they set a password."

    def add_to(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--roles", nargs="+", required=True, choices=[str(role) for role in PLATFORM_ROLES]
        )
        parser.add_argument("--name", default="")

    def work(self, *, at: datetime, **options: Any) -> dict[str, Any]:
        email = options["email"].strip().lower()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email!r} is not an e-mail address") from None
        user = operations.invite(
            username=email,
            name=options["name"],
            email=email,
            roles=[Role(name) for name in options["roles"]],
            actor=None,
            at=at,
        )
        url = links.absolute(links.activation_path(user))
        return {"login": user.username, "roles": sorted(user.roles), "activation_url": url}
