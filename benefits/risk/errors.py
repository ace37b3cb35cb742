"""What stops an order before anything is debited."""

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, TooMany


class DailyLimit(TooMany):
    """More than the company allows one employee in a day; amounts in fen."""

    code = "daily_limit"
    message = _("This would go over the company's limit for one day. Try again tomorrow.")

    def __init__(self, *, limit_fen: int, used_fen: int) -> None:
        super().__init__(limit_fen=limit_fen, used_fen=used_fen)


class OthersNotAllowed(Conflict):
    """The company allows top-ups of the employee's own number only."""

    code = "others_not_allowed"
    message = _("Your company allows top-ups of your own number only.")
