"""What the portal itself refuses."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import TooMany


class RevealedTooOften(TooMany):
    """Card codes were shown more often than a person needs within an hour."""

    code = "revealed_too_often"
    message = _(
        "Card codes were shown %(limit)d times within an hour. Wait for the next hour; each look is recorded."
    )

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=limit)
