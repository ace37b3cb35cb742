"""What can go wrong when somebody asks the journal for a proof."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Invalid, NotFound


class ReceiptNotReady(Conflict):
    """The order's payment is not sealed yet."""

    code = "receipt_not_ready"
    message = _("This order is sealed within about a minute. Try again then.")


class NothingSealed(NotFound):
    """No record of the period is sealed."""

    code = "nothing_sealed"
    message = _("Nothing was sealed in this period. Choose another, or try again in a minute.")


class PackTooLarge(Invalid):
    """A pack of so many records is made with the command."""

    code = "pack_too_large"
    message = _(
        "The period has %(records)d records, more than the %(limit)d that a page can pack. Choose a shorter one, or ask"
        " the platform to run export_evidence."
    )

    def __init__(self, *, records: int, limit: int) -> None:
        super().__init__(records=records, limit=limit)


class NoSuchDay(Invalid):
    """A day is written as 2026-11-30, and a period does not end before it begins."""

    code = "no_such_day"
    message = _(
        "“%(value)s” is not a day of a period. Write it like 2026-11-30, the first day before the last."
    )

    def __init__(self, *, value: str) -> None:
        super().__init__(value=value)
