"""Reading answers strictly."""

import pytest

from benefits.suppliers import wire


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b'"text"', b"{", b'{"a":NaN}', b'{"a":1,"a":2}', b"\xff\xfe", b"{'a':1}",
        b'{"a":' * 100_000, "金额".encode("gb18030"),
    ],
)  # fmt: skip
def test_what_is_not_one_plain_object_is_unreadable(body: bytes) -> None:
    with pytest.raises(wire.Unreadable):
        wire.read_object(body)


@pytest.mark.parametrize("value", [1.0, "100", True, -1, None, [], 10**12, 1e400])
def test_an_amount_is_an_integer_or_nothing(value: object) -> None:
    assert wire.whole({"fen": value}, "fen") is None


def test_a_remark_keeps_its_words_and_loses_numbers_and_codes() -> None:
    kept = wire.remark("充值失败 13800138000 号码停机 ABCD-1234-EFGH-5678 code 30 http://x.example/9")
    assert "充值失败" in kept
    assert "停机" in kept
    assert "30" in kept
    for secret in ("13800138000", "ABCD-1234", "x.example/9"):
        assert secret not in kept
