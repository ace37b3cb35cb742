"""A company's colour is readable wherever it stands, whatever was chosen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benefits.web.portal import brand

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")


def ratio(one: str, other: str) -> float:
    first, second = brand.parse(one), brand.parse(other)
    assert first
    assert second
    return brand.contrast(first, second)


@given(COLOURS)
def test_every_pair_can_be_read(colour: str) -> None:
    tokens = brand.derive(colour)
    assert tokens
    light, dark = tokens["light"], tokens["dark"]
    for one, other in (
        (light["--brand"], "#FFFFFF"),
        (light["--brand"], "#F6F5F1"),
        (light["--brand"], light["--brand-tint"]),
        (light["--on-brand"], light["--brand"]),
        (light["--on-brand"], light["--brand-strong"]),
        ("#DCEBE7", light["--balance-1"]),
        (dark["--brand"], "#1A1E1D"),
        (dark["--brand"], dark["--brand-tint"]),
        (dark["--on-brand"], dark["--brand"]),
    ):
        assert ratio(one, other) >= 4.5, (colour, one, other)


@pytest.mark.parametrize("colour", ["", "red", "#12345", "#1234567", "#0F5C54;}", "#GGGGGG"])
def test_what_is_no_colour_gives_no_sheet(colour: str) -> None:
    assert brand.sheet(colour) == ""


def test_a_readable_colour_is_kept() -> None:
    tokens = brand.derive("#1F5A93")
    assert tokens
    assert tokens["light"]["--brand"] == "#1F5A93"
