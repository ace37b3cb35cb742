"""What can go wrong with points."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Invalid, NotFound


class InsufficientPoints(Conflict):
    """The wallet does not hold enough for this purchase; amounts in fen."""

    code = "insufficient_points"
    message = _("There are not enough points for this.")

    def __init__(self, *, needed_fen: int, available_fen: int) -> None:
        super().__init__(needed_fen=needed_fen, available_fen=available_fen)


class InsufficientBudget(Conflict):
    """The budget does not hold enough for this grant; amounts in fen."""

    code = "insufficient_budget"
    message = _("The budget “%(budget)s” does not hold enough for this. Load it first, or grant less.")

    def __init__(self, *, budget: str, needed_fen: int, available_fen: int) -> None:
        super().__init__(
            budget=budget,
            needed_fen=needed_fen,
            available_fen=available_fen,
            shortfall_fen=needed_fen - available_fen,
        )


class BudgetNotFound(NotFound):
    """No budget has this name."""

    code = "budget_not_found"
    message = _("There is no budget “%(name)s”.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class BudgetExists(Conflict):
    """A budget of this name is there already."""

    code = "budget_exists"
    message = _("There is already a budget “%(name)s”. Choose another name.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class BudgetClosed(Conflict):
    """The budget is closed, or today is outside its validity."""

    code = "budget_closed"
    message = _("The budget “%(budget)s” is not open today.")

    def __init__(self, *, budget: str) -> None:
        super().__init__(budget=budget)


class BudgetBusy(Conflict):
    """Grants from the budget are still being handed out."""

    code = "budget_busy"
    message = _(
        "Grants from the budget “%(budget)s” are still being handed out. Close it when they are done."
    )

    def __init__(self, *, budget: str) -> None:
        super().__init__(budget=budget)


class CategoriesOnlyWiden(Invalid):
    """Employees hold points of the budget, so what these may be spent on does not become less."""

    code = "categories_only_widen"
    message = _("Employees hold points of this budget: what they may be spent on can only become more.")


class InvalidValidity(Invalid):
    """A validity ends today or later, after it begins, and begins when it began once points were granted."""

    code = "invalid_validity"
    message = _("The validity cannot be changed to %(value)s: that is over, or points were granted before.")

    def __init__(self, *, value: date) -> None:
        super().__init__(value=value.isoformat())


class InvalidCarryOver(Invalid):
    """What is left goes over to another open budget, which is valid for longer."""

    code = "invalid_carry_over"
    message = _(
        "“%(budget)s” cannot take over what is left: choose another open budget that is valid for longer."
    )

    def __init__(self, *, budget: str) -> None:
        super().__init__(budget=budget)


class NobodyToGrantTo(Invalid):
    """The audience holds no active employee."""

    code = "nobody_to_grant_to"
    message = _("Nobody on the roster fits, so nothing was granted.")


class UnknownEmployees(Invalid):
    """A list names employee numbers that no active employee has."""

    code = "unknown_employees"
    message = _("No active employee has these numbers: %(numbers)s. Correct the list; nothing was granted.")

    def __init__(self, *, numbers: list[str]) -> None:
        super().__init__(numbers=", ".join(numbers[:20]))


class RepeatedEmployees(Invalid):
    """A list names an employee more than once, so it is not clear what was meant."""

    code = "repeated_employees"
    message = _(
        "These numbers are in the list more than once: %(numbers)s. Correct the list; nothing was granted."
    )

    def __init__(self, *, numbers: list[str]) -> None:
        super().__init__(numbers=", ".join(numbers[:20]))


class InvalidPoints(Invalid):
    """An amount of points is more than nothing, and not more than a person may get at once; in fen."""

    code = "invalid_points"
    message = _(
        "Points worth ¥%(asked_yuan)s cannot be moved: it must be more than ¥0, and at most ¥%(most_yuan)s a person."
    )

    def __init__(self, *, asked_fen: int, most_fen: int) -> None:
        super().__init__(asked_fen=asked_fen, most_fen=most_fen)


class InvalidExpiry(Invalid):
    """An expiry lies in the past."""

    code = "invalid_expiry"
    message = _("The expiry %(value)s is not in the future.")

    def __init__(self, *, value: date) -> None:
        super().__init__(value=value)


class RequestKeyReused(Invalid):
    """The same key came with other content."""

    code = "request_key_reused"
    message = _("This request was sent before with other content. Reload the page and try again.")


class PointsRateFixed(Conflict):
    """Points were granted, so people know what one is worth."""

    code = "points_rate_fixed"
    message = _("Points have been granted, so what a point is worth stays as it is.")


class GrantNotFound(NotFound):
    """There is no such grant of the company."""

    code = "grant_not_found"
    message = _("There is no such grant.")


class GrantRunning(Conflict):
    """A grant that is still being handed out cannot be taken back yet."""

    code = "grant_running"
    message = _("“%(reason)s” is still being handed out. Take it back once that is done.")

    def __init__(self, *, reason: str) -> None:
        super().__init__(reason=reason)


class GoodwillTooMuch(Invalid):
    """One person alone gives an employee only so much of the platform's money; in fen."""

    code = "goodwill_too_much"
    message = _("¥%(asked_yuan)s is more than one person may give alone: at most ¥%(most_yuan)s an order.")

    def __init__(self, *, asked_fen: int, most_fen: int) -> None:
        super().__init__(asked_fen=asked_fen, most_fen=most_fen)


class GoodwillGiven(Conflict):
    """The platform gives goodwill once for an item."""

    code = "goodwill_given"
    message = _("Goodwill was given for this already.")


class GoodwillNotNeeded(Conflict):
    """The outcome is not as it was when somebody decided to give goodwill."""

    code = "goodwill_not_needed"
    message = _("The outcome has changed meanwhile. Look at it again; nothing was given.")
