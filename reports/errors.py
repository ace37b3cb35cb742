"""What can go wrong with explanations and balances."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Invalid, NotFound


class NothingToExplain(NotFound):
    """There is nothing of this name in the company's books."""

    code = "nothing_to_explain"
    message = _(
        "There is nothing called “%(of)s” in these books. Give the kind and the number, like order:202611240001 or lot:12."
    )

    def __init__(self, *, of: str) -> None:
        super().__init__(of=of[:80])


class NoSuchAccount(NotFound):
    """There is no account of this name in the company's books."""

    code = "no_such_account"
    message = _(
        "There is no account “%(account)s” in these books. Choose one of the list, or give wallet: and an employee number."
    )

    def __init__(self, *, account: str) -> None:
        super().__init__(account=account[:80])


class NotAnInstant(Invalid):
    """A text is no day and time."""

    code = "not_an_instant"
    message = _("“%(text)s” is no day and time. Write it like 2026-11-24T18:30.")

    def __init__(self, *, text: str) -> None:
        super().__init__(text=text[:40])
