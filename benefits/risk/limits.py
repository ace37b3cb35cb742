"""The company's limits on what one employee may redeem. Pure: the caller brings the figures."""

from benefits.risk.errors import DailyLimit, OthersNotAllowed
from tenants.models import Company


def check(*, company: Company, own_mobile: str, phone: str, used_today_fen: int, fen: int) -> None:
    """Pass or refuse an order of `fen`; `phone` is the number to be topped up, empty for anything else.

    Raises DailyLimit, OthersNotAllowed.
    """
    if phone and phone != own_mobile and not company.others_allowed:
        raise OthersNotAllowed
    if used_today_fen + fen > company.daily_limit_fen:
        raise DailyLimit(limit_fen=company.daily_limit_fen, used_fen=used_today_fen)
