"""Signatures against the values that the suppliers publish."""

import hashlib

from benefits.suppliers import signers

# The worked example of the goofish standard's own introduction.
BODY = b'{"goods_type":1,"goods_no":"12344532"}'
KEYS = {
    "app_id": "677859093659717",
    "app_secret": "wK63PxlOBaY9NoqMksLeZySzGIW25ifA",
    "mch_id": "1001",
    "mch_secret": "o9wl81dncmvby3ijpq7eur456zhgtaxs",
}


def test_the_published_check_value_of_the_body() -> None:
    assert hashlib.md5(BODY).hexdigest() == "9b8030f5097d5ed123405b003dd247c5"


def test_the_six_parts_are_signed_in_their_order() -> None:
    signed = (
        "677859093659717,wK63PxlOBaY9NoqMksLeZySzGIW25ifA,9b8030f5097d5ed123405b003dd247c5,"
        "1724414553,1001,o9wl81dncmvby3ijpq7eur456zhgtaxs"
    )
    expected = hashlib.md5(signed.encode()).hexdigest()
    assert signers.goofish(**KEYS, body=BODY, timestamp="1724414553") == expected


def test_every_part_counts() -> None:
    sign = signers.goofish(**KEYS, body=BODY, timestamp="1724414553")
    assert signers.goofish(**KEYS, body=BODY + b" ", timestamp="1724414553") != sign
    assert signers.goofish(**KEYS, body=BODY, timestamp="1724414554") != sign
    for name in KEYS:
        assert signers.goofish(**(KEYS | {name: "x"}), body=BODY, timestamp="1724414553") != sign


def test_signatures_of_any_text_can_be_compared() -> None:
    assert signers.same("abc", "abc")
    assert not signers.same("abc", "")
    assert not signers.same("abc", "ábc")
