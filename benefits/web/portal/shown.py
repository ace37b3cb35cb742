"""How products, orders and postings look: hue, drawing, icon, words. Plain values for templates."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from benefits.catalogue.models import Product
from benefits.orders.models import Item, Order
from benefits.points import days
from benefits.points.queries import Wallet
from benefits.templatetags.mall import exact_moment

HUES = frozenset({"pine", "lake", "plum", "cinnabar", "ochre", "moss", "indigo", "slate", "rose", "amber"})
HUE_OF_COLOUR = {
    "teal": "pine", "blue": "lake", "violet": "plum", "red": "cinnabar", "gold": "ochre", "brown": "ochre", "green": "moss",
    "orange": "amber", "grey": "slate",
}  # fmt: skip
ICON_OF_SHELF = {
    "phone": "smartphone", "play": "clapperboard", "book": "book-open", "cup": "coffee", "bag": "shopping-bag",
}  # fmt: skip
ART_OF_ICON = {
    "smartphone": "signal", "wifi": "wave", "clapperboard": "film", "music": "film", "coffee": "steam",
    "shopping-bag": "lattice", "credit-card": "lattice", "ticket": "lattice", "car": "road", "heart-pulse": "petal",
    "book-open": "pages", "gift": "cloud", "utensils": "scale", "gamepad-2": "orbit", "layers": "rosette",
}  # fmt: skip
ICON_OF_KIND = {
    Product.Kind.TOP_UP: "smartphone",
    Product.Kind.DATA: "wifi",
    Product.Kind.MEMBERSHIP: "clapperboard",
    Product.Kind.CARD: "ticket",
    Product.Kind.BUNDLE: "layers",
}
CARRIERS = {
    "mobile": _("China Mobile"),
    "unicom": _("China Unicom"),
    "telecom": _("China Telecom"),
    "broadnet": _("China Broadnet"),
}


@dataclass(frozen=True)
class Plate:
    """The drawn plate of a product."""

    hue: str
    art: str
    icon: str
    word: str


def plate(product: Product) -> Plate:
    """A product's plate: its own colour and words, the drawing of its shelf."""
    hue = HUE_OF_COLOUR.get(product.colour, product.colour)
    icon = ICON_OF_SHELF.get(product.category.icon, product.category.icon)
    if icon == "gift" or product.kind in (Product.Kind.TOP_UP, Product.Kind.DATA, Product.Kind.BUNDLE):
        icon = ICON_OF_KIND[Product.Kind(product.kind)]
    return Plate(
        hue=hue if hue in HUES else "pine",
        art=ART_OF_ICON.get(icon, "scale"),
        icon=icon,
        word=product.emblem or product.name[:4],
    )


def tile(product: Product, *, spendable_fen: int | None = None) -> dict[str, Any]:
    """What a catalogue tile shows; `short_fen` is what the reader lacks for the cheapest size."""
    from_fen: int = product.from_fen  # type: ignore[attr-defined]
    return {
        "href": reverse("portal:product", args=[product.slug]),
        "name": product.name,
        "summary": product.summary,
        "plate": plate(product),
        "from_fen": from_fen,
        "short_fen": max(0, from_fen - spendable_fen) if spendable_fen is not None else 0,
    }


def name_of(thing: Order | Item) -> str:
    """The name that was written down that day, in the reader's language."""
    english = (translation.get_language() or "").startswith("en")
    return thing.name_en if english and thing.name_en else thing.name_zh


_ORDER_STATE = {
    Order.Status.PLACED: ("info", "clock"),
    Order.Status.DELIVERED: ("ok", "check"),
    Order.Status.PARTLY: ("warn", "circle-alert"),
    Order.Status.REFUNDED: ("warn", "undo-2"),
}
_LOOK_OF_KIND = {
    Product.Kind.TOP_UP: ("lake", "signal"),
    Product.Kind.DATA: ("indigo", "wave"),
    Product.Kind.MEMBERSHIP: ("plum", "film"),
    Product.Kind.CARD: ("ochre", "lattice"),
    Product.Kind.BUNDLE: ("pine", "rosette"),
}


def order_row(order: Order) -> dict[str, Any]:
    """One line of a list of orders; its items are read already."""
    tone, icon = _ORDER_STATE[Order.Status(order.status)]
    items = list(order.items.all())
    kind = Product.Kind(items[0].kind) if len(items) == 1 else Product.Kind.BUNDLE
    hue, art = _LOOK_OF_KIND[kind]
    return {
        "number": order.number,
        "name": name_of(order),
        "hint": order.account_hint,
        "price_fen": order.price_fen,
        "status": order.get_status_display(),
        "tone": tone,
        "icon": icon,
        "at": order.placed_at,
        "is_refunded": order.status == Order.Status.REFUNDED,
        "hue": hue,
        "art": art,
        "kind_icon": ICON_OF_KIND[kind],
    }


SOON = timedelta(days=30)


def expiring(wallet: Wallet, *, at: datetime) -> dict[str, Any] | None:
    """What expires next, where that is within 30 days: how much, on which last day, and how many days are left."""
    if wallet.expires_at is None or wallet.expires_at - at >= SOON:
        return None
    last = days.last_day(wallet.expires_at)
    return {"fen": wallet.expiring_fen, "day": last, "days": (last - timezone.localdate(at)).days}


POSTINGS = {
    "grant": _("Granted"),
    "recall": _("Taken back"),
    "redeem": _("Redeemed"),
    "refund": _("Returned"),
    "expire": _("Expired"),
    "lapse": _("Expired"),
    "goodwill": _("Given by the platform"),
    "recover": _("Taken back by the platform"),
    "reverse": _("Corrected"),
}

# Why a delivery failed, where the reader can do something with it; anything else is the supplier's own trouble.
_REASONS = {
    "number_suspended": _("The number is suspended. Ask the carrier, then try again."),
    "number_empty": _("The number is not in use. Check it."),
    "number_not_supported": _(
        "This number cannot be topped up here. Virtual operators' numbers often cannot."
    ),
    "real_name": _("The number has not been registered under a real name. Ask the carrier."),
    "blacklisted": _("The carrier does not accept top-ups for this number. Ask the carrier."),
    "account_closed": _("The account is closed. Check it."),
    "maintenance": _("The carrier was under maintenance. Try again later."),
    "out_of_stock": _("It had sold out at the supplier."),
    "cancelled": _("You cancelled it before it was sent."),
}


def reason(code: str) -> str:
    """Why something was returned, in words for the reader."""
    return str(_REASONS.get(code, _("The supplier could not deliver it.")))


VERIFYING = _("The answer is unclear, so we ask until we know. Nothing is lost; please do not order again.")

_STEPS = {
    "placed": (_("Submitted"), "done"),
    "sent": (_("Sent to the supplier"), "done"),
    "waiting": (_("Being delivered"), "current"),
    "verifying": (_("Being verified with the supplier"), "current"),
    "delivered": (_("Delivered"), "done"),
    "refunded": (_("Points returned"), "returned"),
    "cancelled": (_("Cancelled, points returned"), "returned"),
}


def timeline(steps: list[dict[str, Any]], *, is_final: bool) -> list[dict[str, Any]]:
    """The entries of <c-timeline>, with what is still to come where the order is not final."""
    entries = []
    for step in steps:
        title, state = _STEPS[step["step"]]
        details = [name_of(step["item"])] if step["item"] is not None else []
        if step["reason"]:
            details.append(reason(step["reason"]))
        if step["step"] == "verifying":
            details.append(str(VERIFYING))
        at = exact_moment(step["at"])
        entries.append({"title": title, "at": at, "state": state, "detail": " · ".join(details)})
    if not is_final and not any(step["item"] is not None for step in steps):
        entries.append({"title": _("Delivered"), "at": "", "state": "todo", "detail": ""})
    return entries
