import re
from decimal import ROUND_HALF_UP, Decimal

import cn2an
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benefits import money

FEN = st.integers(min_value=-(10**17), max_value=10**17)
TYPED = st.integers(min_value=0, max_value=money.MAX_FEN)


@given(TYPED)
def test_an_amount_reads_back_as_it_was_written(fen: int) -> None:
    assert money.parse_yuan(money.yuan(fen)) == fen


@given(FEN)
def test_writing_agrees_with_decimal(fen: int) -> None:
    assert Decimal(money.yuan(fen)) == Decimal(fen) / 100
    plain = money.yuan_grouped(fen).replace(",", "").replace("\N{MINUS SIGN}", "-")
    assert plain == money.yuan(fen)


@pytest.mark.parametrize(
    ("text", "fen"), [("0", 0), ("12", 1200), ("12.5", 1250), ("0.05", 5), ("9999999999.99", money.MAX_FEN)]
)
def test_plain_amounts_are_read(text: str, fen: int) -> None:
    assert money.parse_yuan(text) == fen


@pytest.mark.parametrize(
    "text",
    [
        "", ".5", "5.", "007", "1.234", "1.230", "1,000", "1_000", "-5", "+5", "１２", "٣", "¥100", "100元", "1e3",
        "NaN", "inf", "0x10", " 5", "5\n", "10000000000", "1.2.3",
    ],
)  # fmt: skip
def test_anything_that_needs_guessing_is_refused(text: str) -> None:
    with pytest.raises(money.NotAnAmount) as refused:
        money.parse_yuan(text)
    assert refused.value.code == "not_an_amount"


@given(st.text())
@example("1" * 100_000)
def test_any_text_is_read_exactly_or_refused(text: str) -> None:
    try:
        fen = money.parse_yuan(text)
    except money.NotAnAmount:
        return
    assert Decimal(text) * 100 == fen


@pytest.mark.parametrize(
    ("fen", "rate", "shown"),
    [
        (5000, 1, "50"), (5050, 1, "50.5"), (5055, 1, "50.55"), (5055, 10, "505.5"), (5050, 10, "505"),
        (5055, 100, "5,055"), (1, 1, "0.01"), (0, 1, "0"), (-5050, 10, "\N{MINUS SIGN}505"), (100_000_00, 1, "100,000"),
    ],
)  # fmt: skip
def test_points_show_only_the_decimals_they_need(fen: int, rate: int, shown: str) -> None:
    assert money.points(fen, rate) == shown


@given(st.integers(min_value=0, max_value=money.MAX_FEN // 100), st.sampled_from(money.RATES))
def test_points_are_exact(fen: int, rate: int) -> None:
    shown = money.points(fen, rate).replace(",", "")
    assert Decimal(shown) * 100 == fen * rate
    assert money.parse_points(shown, rate) == fen


def test_points_below_a_fen_are_refused() -> None:
    assert money.parse_points("0.1", 10) == 1
    for text, rate in [("0.1", 100), ("0.05", 10), ("1.5", 100)]:
        with pytest.raises(money.NotAnAmount):
            money.parse_points(text, rate)


def test_only_the_three_rates_exist() -> None:
    for rate in (0, -1, 2, 1000):
        with pytest.raises(ValueError, match="points a yuan"):
            money.points(100, rate)


@given(FEN, st.sampled_from([0, 100, 300, 600, 900, 1300]) | st.integers(0, 10_000))
def test_net_of_tax_rounds_half_up_and_mirrors_credits(gross: int, rate_bp: int) -> None:
    exact = Decimal(abs(gross)) * 10_000 / (10_000 + rate_bp)
    expected = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    assert abs(money.net_of_tax(gross, rate_bp)) == expected
    assert money.net_of_tax(-gross, rate_bp) == -money.net_of_tax(gross, rate_bp)


def test_net_of_tax_by_hand() -> None:
    assert money.net_of_tax(10900, 900) == 10000
    assert money.net_of_tax(3333, 600) == 3144  # 31.4434
    assert money.net_of_tax(3, 10_000) == 2  # 1.5 goes up
    assert money.net_of_tax(5000, 0) == 5000
    with pytest.raises(ValueError, match="negative"):
        money.net_of_tax(100, -600)


@pytest.mark.parametrize(
    ("amount", "spelled"),
    [
        ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
        ("325.04", "叁佰贰拾伍元零肆分"),
        ("1409.50", "壹仟肆佰零玖元伍角整"),
        ("6007.14", "陆仟零柒元壹角肆分"),
        ("1000000000", "壹拾亿元整"),
        ("100010000", "壹亿零壹万元整"),
        ("100001", "壹拾万零壹元整"),
        ("0.05", "伍分"),
        ("-0.05", "负伍分"),
        ("-16409.02", "负壹万陆仟肆佰零玖元零贰分"),
        ("0", "零元整"),
        ("0.50", "伍角整"),
        ("0.55", "伍角伍分"),
        ("10", "壹拾元整"),
        ("100001000", "壹亿零壹仟元整"),  # cn2an: 壹亿壹仟元整
        ("1680.32", "壹仟陆佰捌拾元零叁角贰分"),
        ("107000.53", "壹拾万柒仟元零伍角叁分"),
        ("1000000000000", "壹万亿元整"),
        ("2000100000000", "贰万零壹亿元整"),
        ("9999999999.99", "玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ],
)
def test_amounts_in_capitals(amount: str, spelled: str) -> None:
    assert money.capitals(int(Decimal(amount) * 100)) == spelled


@given(st.integers(min_value=-money.MAX_FEN, max_value=money.MAX_FEN))
@example(10_000_100_00)
@example(-5)
def test_capitals_read_back_as_the_amount(fen: int) -> None:
    spelled = money.capitals(fen)
    match = re.fullmatch(r"(负?)(?:(.+)元)?(?:零?(.)角)?(?:零?(.)分)?整?", spelled)
    assert match
    sign, whole, jiao, rest = match.groups()
    parts = ((whole, 100), (jiao, 10), (rest, 1))
    read = sum(unit * int(cn2an.cn2an(digits, "smart")) for digits, unit in parts if digits)
    assert (-read if sign else read) == fen
    assert "零零" not in spelled
    assert spelled.endswith("整") == (fen % 10 == 0)


def test_an_absurd_amount_is_not_spelled() -> None:
    with pytest.raises(ValueError, match="too large"):
        money.capitals(10**18)
