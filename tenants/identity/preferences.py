"""How somebody likes to see the mall."""

from tenants.db import transaction
from tenants.identity.models import User


@transaction
def prefer(*, user: User, language: str, appearance: str) -> None:
    """Keep a language and an appearance with the user. Nobody else's business, so it leaves no audit event."""
    user.language, user.appearance = language, appearance
    user.save(update_fields=["language", "appearance"])
