"""What can go wrong when something is redeemed."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Invalid, NotFound


class NotOffered(Conflict):
    """The SKU is unknown, withdrawn, or no supplier offers it now."""

    code = "not_offered"
    message = _("“%(product)s” cannot be redeemed at the moment. Nothing was taken.")

    def __init__(self, *, product: str) -> None:
        super().__init__(product=product)


class PriceChanged(Conflict):
    """The price is not the one that the page showed; amounts in fen."""

    code = "price_changed"
    message = _("The price has changed since the page was loaded. Look at the new price and confirm again.")

    def __init__(self, *, quoted_fen: int, price_fen: int) -> None:
        super().__init__(quoted_fen=quoted_fen, price_fen=price_fen)


class InvalidAccount(Invalid):
    """The number or account cannot receive this product."""

    code = "invalid_account"
    message = _("%(reason)s")

    def __init__(self, *, reason: object) -> None:
        super().__init__(reason=reason)


class NotAnEmployee(Conflict):
    """Only an active employee has a wallet to redeem from."""

    code = "not_an_employee"
    message = _("Only active employees can redeem.")


class OrderNotFound(NotFound):
    """There is no such order of this employee."""

    code = "order_not_found"
    message = _("There is no such order.")


class NotCancellable(Conflict):
    """A delivery of the order has been claimed for a supplier, or is final."""

    code = "not_cancellable"
    message = _("The order is on its way or finished and can no longer be cancelled. Nothing was changed.")
