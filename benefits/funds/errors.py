"""What can go wrong with a company's money at the platform."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Forbidden, Invalid, NotFound


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


class DepositNotReversible(Conflict):
    """Only a confirmed deposit that nobody has asked to reverse yet can be reversed."""

    code = "deposit_not_reversible"
    message = _(
        "The deposit “%(reference)s” cannot be reversed: it is not confirmed, or it was asked before."
    )

    def __init__(self, *, reference: str) -> None:
        super().__init__(reference=reference)


class ReversalNotCovered(Conflict):
    """What a deposit brought was loaded into budgets, so that it cannot be taken out of the funds."""

    code = "reversal_not_covered"
    message = _(
        "The deposit brought ¥%(needed_yuan)s and the funds hold ¥%(available_yuan)s of their own."
        " The company has to return budgets first."
    )

    def __init__(self, *, needed_fen: int, available_fen: int) -> None:
        super().__init__(needed_fen=needed_fen, available_fen=available_fen)


class InvalidAmount(Invalid):
    """An amount of money is more than zero, in yuan with at most two decimals."""

    code = "invalid_amount"
    message = _("“%(value)s” is not an amount: give yuan with at most two decimals, more than 0.")

    def __init__(self, *, value: object) -> None:
        super().__init__(value=value)


class InvalidValueDate(Invalid):
    """A bank credits no transfer in the future."""

    code = "invalid_value_date"
    message = _("%(value)s is in the future; give the day on which the bank credited the transfer.")

    def __init__(self, *, value: date) -> None:
        super().__init__(value=value.isoformat())


class SlipUnreadable(Invalid):
    """A bank slip is a whole PDF, PNG or JPEG file, and nothing else besides."""

    code = "slip_unreadable"
    message = _("The slip is not a whole PDF, PNG or JPEG file. Save it anew as one of these.")


class SlipTooLarge(Invalid):
    """A bank slip is larger than what is kept."""

    code = "slip_too_large"
    message = _("The slip is larger than %(megabytes)d MB. Save it smaller.")

    def __init__(self, *, megabytes: int) -> None:
        super().__init__(megabytes=megabytes)


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


class ReceiptNotFound(NotFound):
    """There is no such receipt, or it is another company's."""

    code = "receipt_not_found"
    message = _("There is no receipt %(number)s.")

    def __init__(self, *, number: str) -> None:
        super().__init__(number=number)
