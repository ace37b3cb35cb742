"""Which offer gets a delivery: definite eligibility first, then priority and cost.

The inputs of a decision are plain data, stored with the attempt, and `choose` gives the same answer from them again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from benefits.fulfilment.models import Delivery, Offer
from benefits.suppliers.base import Reason

# Another supplier cannot help where the number itself is the problem.
HOPELESS = frozenset({Reason.NUMBER_EMPTY, Reason.NUMBER_SUSPENDED, Reason.REAL_NAME, Reason.BLACKLISTED})
# Exclusions that end by themselves.
PASSING = frozenset({"offer_paused", "supplier_paused", "supplier_unusable"})


@dataclass(frozen=True, slots=True)
class Route:
    """A decision: the offer to use, or whether waiting may bring one, with the inputs it was made from."""

    offer: Offer | None
    may_wait: bool
    inputs: dict[str, Any]


def route(
    delivery: Delivery,
    offers: Sequence[Offer],
    *,
    tried: Iterable[int],
    unusable: Iterable[int] = (),
    at: datetime,
) -> Route:
    """Decide for one delivery among the offers of its SKU (suppliers loaded with them)."""
    facts = [_facts(offer, tried=frozenset(tried), unusable=frozenset(unusable), at=at) for offer in offers]
    inputs = {
        "at": at.isoformat(),
        "sku": delivery.sku_code,
        "ceiling_fen": delivery.ceiling_fen,
        "offers": facts,
    }
    chosen = choose(inputs)
    may_wait = any(why in PASSING for fact in facts if (why := exclusion(fact, delivery.ceiling_fen)))
    return Route(
        offer=next((offer for offer in offers if offer.pk == chosen), None),
        may_wait=may_wait,
        inputs={**inputs, "chosen": chosen},
    )


def choose(inputs: Mapping[str, Any]) -> int | None:
    """Return the id of the offer that these inputs lead to, or None: lowest priority number, then cost, then id."""
    eligible = [fact for fact in inputs["offers"] if not exclusion(fact, inputs["ceiling_fen"])]
    best = min(eligible, key=lambda fact: (fact["priority"], fact["cost_fen"], fact["offer"]), default=None)
    return best["offer"] if best else None


def exclusion(fact: Mapping[str, Any], ceiling_fen: int) -> str:
    """Return why an offer cannot be used, or the empty text."""
    if fact["state"]:
        return str(fact["state"])
    if fact["stock"] == 0:
        return "out_of_stock"
    return "above_ceiling" if fact["cost_fen"] > ceiling_fen else ""


def _facts(offer: Offer, *, tried: frozenset[int], unusable: frozenset[int], at: datetime) -> dict[str, Any]:
    supplier = offer.supplier
    state = ""
    if offer.pk in tried:
        state = "tried"
    elif not (offer.is_active and supplier.is_active):
        state = "inactive"
    elif supplier.pk in unusable:
        state = "supplier_unusable"
    elif supplier.paused_until and supplier.paused_until > at:
        state = "supplier_paused"
    elif offer.paused_until and offer.paused_until > at:
        state = "offer_paused"
    return {
        "offer": offer.pk,
        "supplier": supplier.slug,
        "code": offer.supplier_code,
        "cost_fen": offer.cost_fen,
        "stock": offer.stock,
        "priority": offer.priority,
        "state": state,
    }
