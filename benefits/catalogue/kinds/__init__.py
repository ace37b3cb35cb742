"""Benefit kinds: which account a kind needs, how to clean it and how to describe it."""

from benefits.catalogue.kinds.base import Kind
from benefits.catalogue.kinds.card import CARD
from benefits.catalogue.kinds.membership import MEMBERSHIP
from benefits.catalogue.kinds.phone import BUNDLE, DATA, TOP_UP

KINDS: dict[str, Kind] = {kind.slug: kind for kind in (TOP_UP, DATA, MEMBERSHIP, CARD, BUNDLE)}
