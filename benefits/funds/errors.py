"""What can go wrong with a company's money at the platform."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Forbidden, Invalid


class InsufficientFunds(Conflict):
    """The company has not funded that much."""

    code = "insufficient_funds"
    message = _(
        "This needs ¥%(needed_yuan)s and the company's funds hold ¥%(available_yuan)s. Record a deposit first."
    )

    def __init__(self, *, needed_fen: int, available_fen: int) -> None:
        super().__init__(needed_fen=needed_fen, available_fen=available_fen)


class DepositExists(Conflict):
    """The bank reference was recorded before, with another amount."""

    code = "deposit_exists"
    message = _("A deposit with the reference “%(reference)s” is already there.")

    def __init__(self, *, reference: str) -> None:
        super().__init__(reference=reference)


class InvalidAmount(Invalid):
    """An amount of money is more than zero, in yuan with at most two decimals."""

    code = "invalid_amount"
    message = _("“%(value)s” is not an amount: give yuan with at most two decimals, more than 0.")

    def __init__(self, *, value: object) -> None:
        super().__init__(value=value)


class SecondPersonNeeded(Forbidden):
    """Whoever recorded it may not confirm it."""

    code = "second_person_needed"
    message = _("Somebody else has to confirm what you recorded.")


class CreditInUse(Conflict):
    """The company has spent more of its credit line than the new one allows."""

    code = "credit_in_use"
    message = _("The company has used ¥%(used_yuan)s of its credit line; it cannot be smaller than that.")

    def __init__(self, *, used_fen: int) -> None:
        super().__init__(used_fen=used_fen)
