"""Fen at the edges: the only place where amounts are written, read, shown as points, split for tax or spelled out.

Everywhere else value is an `int` of fen (1 yuan = 100 fen); nothing here accepts or returns a float.
"""

import re

from django.utils.translation import gettext_lazy as _

from tenants.errors import Invalid

RATES = (1, 10, 100)
"""Points shown for one yuan that a company may choose."""

MAX_FEN = 10**12 - 1
"""The largest amount a person may type: 9,999,999,999.99 yuan."""

MINUS = "\N{MINUS SIGN}"
_YUAN = re.compile(r"(0|[1-9][0-9]{0,9})(?:\.([0-9]{1,2}))?")
_BASIS_POINTS = 10_000


class NotAnAmount(Invalid):
    """The text is not a plain, exact amount: ASCII digits and at most two decimals, without a sign."""

    code = "not_an_amount"
    message = _(
        "“%(value)s” is not an amount. Write it like 1234.50: digits, at most two decimals, nothing else."
    )

    def __init__(self, text: str) -> None:
        super().__init__(value=text[:40])


def yuan(fen: int) -> str:
    """1234567 → '12345.67': for files, forms and interfaces."""
    whole, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{cents:02d}"


def yuan_grouped(fen: int) -> str:
    """1234567 → '12,345.67', with a true minus sign: for people to read."""
    whole, cents = divmod(abs(fen), 100)
    return f"{MINUS if fen < 0 else ''}{whole:,}.{cents:02d}"


def parse_yuan(text: str) -> int:
    """'12.5' → 1250 fen. Raises NotAnAmount for anything that would need guessing or rounding.

    Signs, separators, currency marks, exponents, full-width digits, spaces and a third decimal are all refused.
    """
    match = _YUAN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise NotAnAmount(str(text))
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def points(fen: int, rate: int) -> str:
    """Fen shown as a company's points at `rate` points a yuan: exact, with only the decimals that are needed."""
    _check_rate(rate)
    whole, rest = divmod(abs(fen) * rate, 100)
    decimals = f"{rest:02d}".rstrip("0")
    return f"{MINUS if fen < 0 else ''}{whole:,}{'.' if decimals else ''}{decimals}"


def parse_points(text: str, rate: int) -> int:
    """Points as typed → fen. Raises NotAnAmount unless the points are a whole number of fen at this rate."""
    _check_rate(rate)
    fen, rest = divmod(parse_yuan(text), rate)
    if rest:
        raise NotAnAmount(text)
    return fen


def _check_rate(rate: int) -> None:
    if rate not in RATES:
        raise ValueError(f"a company shows {RATES} points a yuan, not {rate}")


def net_of_tax(gross_fen: int, rate_bp: int) -> int:
    """The net part of a tax-inclusive amount at `rate_bp` basis points (6 % = 600), rounded half up.

    Halves round away from zero, so that a credit line is exactly the negative of the line it corrects.
    """
    if rate_bp < 0:
        raise ValueError(f"a tax rate is not negative: {rate_bp}")
    divisor = _BASIS_POINTS + rate_bp
    net = (2 * abs(gross_fen) * _BASIS_POINTS + divisor) // (2 * divisor)
    return net if gross_fen >= 0 else -net


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")


def capitals(fen: int) -> str:
    """The amount in RMB capitals, as the People's Bank writes it: 140950 → 壹仟肆佰零玖元伍角整.

    Our own because cn2an omits 整 after 角, and the 零 that 100001000 needs (壹亿零壹仟, not 壹亿壹仟).
    """
    whole, cents = divmod(abs(fen), 100)
    if whole >= 10**16:
        raise ValueError("too large to spell")
    jiao, rest = divmod(cents, 10)
    text = "负" if fen < 0 else ""
    if whole or not cents:
        text += _whole_in_capitals(whole) + "元"
    if not cents:
        return text + "整"
    if whole and (not jiao or whole % 10 == 0):
        text += "零"
    if jiao:
        text += _DIGITS[jiao] + "角"
    return text + (_DIGITS[rest] + "分" if rest else "整")


def _whole_in_capitals(number: int) -> str:
    """Whole yuan in groups of four digits; a run of inner zeros is one 零, none between 万 and a 仟 next to it."""
    if number == 0:
        return _DIGITS[0]
    text, zeros = "", False
    for group in range(3, -1, -1):
        four = number // 10_000**group % 10_000
        if four >= 1000 and number // 10_000 ** (group + 1) % 10_000:
            zeros = False
        for place in range(3, -1, -1):
            digit = four // 10**place % 10
            if digit:
                text += ("零" if zeros else "") + _DIGITS[digit] + _PLACES[place]
            zeros = bool(text) and not digit
        if four:
            # 10000 * 10**8 is 壹万亿: the 亿 is said once, by the last group that has digits.
            text += "万" if group == 3 and number // 10**8 % 10_000 else _GROUPS[group]
    return text
