"""Mainland mobile numbers, however they are typed; a prefix advises and never decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefits import mobile
from benefits.catalogue.kinds import KINDS, membership

NUMBERS = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@pytest.mark.parametrize(
    "typed",
    ["13800138000", "138 0013 8000", "138-0013-8000", "+8613800138000", "+86 138 0013 8000", "0086-138-0013-8000",
     "8613800138000", "（+86）13800138000", "１３８００１３８０００", "\u202a13800138000\u202c", "\ufeff13800138000",
     "13800138000\u200b", "\t13800138000\n", "138\u00a00013\u20098000"],
)  # fmt: skip
def test_a_number_is_understood_however_it_was_pasted(typed: str) -> None:
    assert mobile.clean(typed) == "13800138000"


@pytest.mark.parametrize(
    "typed",
    ["", " ", "1380013800", "138001380000", "12345678901", "10086", "010-62781234", "0755 2345 6789", "+85251234567",
     "+1 202 555 0100", "+8610000000000", "86138001380001", "abc", "1380013800a", "13800138000,13900139000",
     "١٣٨٠٠١٣٨٠٠٠", "१३८००१३८०००", "一三八〇〇一三八〇〇〇", "13800138000.0", "1.38E+10", "13800138000;", "13800138000\x00",
     "-13800138000x", "86" * 4000, "1" * 100_000],
)  # fmt: skip
def test_what_is_not_one_number_is_refused(typed: str) -> None:
    assert mobile.clean(typed) is None


@given(NUMBERS)
def test_cleaning_a_clean_number_changes_nothing(number: str) -> None:
    assert mobile.clean(number) == number
    assert mobile.clean(mobile.grouped(number)) == number
    assert mobile.clean(f"+86{number}") == number


@given(st.text(max_size=40))
def test_whatever_is_typed_gives_a_number_or_nothing(text: str) -> None:
    found = mobile.clean(text)

    assert found is None or mobile.MOBILE.match(found)


@given(NUMBERS)
def test_every_number_passes_whatever_its_prefix_says(number: str) -> None:
    assert KINDS["top_up"].clean(number) == number
    assert mobile.carrier(number) in {"", "mobile", "unicom", "telecom", "broadnet"}


@pytest.mark.parametrize(
    ("number", "carrier"),
    [("13800138000", "mobile"), ("13000138000", "unicom"), ("13300138000", "telecom"), ("13490000000", "telecom"),
     ("13480000000", "mobile"), ("17000000000", "telecom"), ("17030000000", "mobile"), ("17040000000", "unicom"),
     ("19200000000", "broadnet"), ("15400000000", "")],
)  # fmt: skip
def test_a_prefix_suggests_a_carrier(number: str, carrier: str) -> None:
    assert mobile.carrier(number) == carrier


def test_a_number_is_grouped_to_read_and_masked_to_show() -> None:
    assert mobile.grouped("13800138000") == "138 0013 8000"
    assert mobile.masked("13800138000") == "138 **** 8000"
    assert mobile.masked("12") == "**"
    assert mobile.grouped("12") == "12"


@given(NUMBERS)
def test_a_mask_hides_the_middle(number: str) -> None:
    assert number[3:7] not in mobile.masked(number).replace(number[:3], "", 1).replace(number[7:], "", 1)


@pytest.mark.parametrize(
    ("typed", "account", "shown"),
    [
        ("138 0013 8000", "13800138000", "138 **** 8000"),
        (" Wang.Fang@example.com ", "Wang.Fang@example.com", "W***@example.com"),
    ],
)
def test_a_membership_is_delivered_to_a_number_or_an_address(typed: str, account: str, shown: str) -> None:
    assert membership.clean(typed) == account
    assert membership.mask(account) == shown


@pytest.mark.parametrize(
    "typed",
    [
        "a@",
        "@example.com",
        "a@b",
        "a b@example.com",
        "a@example..com",
        "a@例子.中国",
        "a" * 65 + "@example.com",
        "a@example.com\n.evil",
    ],
)
def test_what_is_neither_is_refused(typed: str) -> None:
    assert membership.clean(typed) is None
