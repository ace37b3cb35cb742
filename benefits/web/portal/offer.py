"""What a product's page offers an employee: sizes with prices in points, and why one can't be chosen."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from benefits import mobile, money
from benefits.catalogue import queries as catalogue
from benefits.catalogue.kinds import KINDS
from benefits.catalogue.models import Product, Sku
from benefits.fulfilment import outcomes
from benefits.orders import queries as orders
from benefits.orders.models import Order
from benefits.people.models import Employee
from benefits.web.portal import shown
from benefits.web.portal.visitor import Purse
from tenants.db import connection

USUAL_FACE_FEN = 5000


def page(
    employee: Employee,
    product: Product,
    *,
    siblings: list[Product],
    at: datetime,
    chosen: str = "",
    label: str = "",
) -> dict[str, Any]:
    """The context of a product's page. `siblings` are the same benefit of other carriers."""
    rate, points_name = _points_of_company()
    spendable = Purse(employee, at=at).spendable_fen(product.category.slug)
    skus = list(catalogue.skus_of(product))
    parts = {sku.code: [part for part, _fen in catalogue.parts_of(sku)] for sku in skus}
    on_offer = outcomes.deliverable({part.code for of_sku in parts.values() for part in of_sku})
    recent = _recent(employee, [one.slug for one in siblings] or [product.slug])
    usual = next((order.sku_code for order in recent if order.product_slug == product.slug), "")
    faces = [
        {
            "sku": f"{sku.code}:{sku.price_fen}",
            "code": sku.code,
            "label": sku.name,
            "price": f"{money.points(sku.price_fen, rate)} {points_name}",
            "fen": sku.price_fen,
            "face_fen": sku.face_fen,
            "balance_after": money.points(spendable - sku.price_fen, rate),
            "reason": _why_not(sku, {part.code for part in parts[sku.code]} <= on_offer, spendable, rate),
            "checked": False,
        }
        for sku in skus
    ]
    _check_one(faces, chosen=chosen.split(":")[0], label=label, usual=usual)
    return {
        "product": product,
        "kind": KINDS[product.kind],
        "plate": shown.plate(product),
        "faces": faces,
        "checked": next((face for face in faces if face["checked"]), None),
        "spendable_fen": spendable,
        "carriers": [
            (one.carrier, shown.CARRIERS.get(one.carrier, one.name), one.pk == product.pk) for one in siblings
        ],
        "others": _other_numbers(employee, recent) if KINDS[product.kind].is_phone else [],
        "parts": parts[skus[0].code] if skus and product.kind == Product.Kind.BUNDLE else [],
    }


def _points_of_company() -> tuple[int, str]:
    company: Any = connection.tenant
    return company.points_per_yuan, company.points_name or _("points")


def _why_not(sku: Sku, is_on_offer: bool, spendable_fen: int, rate: int) -> str:
    if not is_on_offer:
        return _("Out of stock")
    if sku.price_fen > spendable_fen:
        return _("%(points)s short") % {"points": money.points(sku.price_fen - spendable_fen, rate)}
    return ""


def _check_one(faces: list[dict[str, Any]], *, chosen: str, label: str, usual: str) -> None:
    """Tick what was chosen, else the same face as before, else the usual one, else a moderate one."""
    open_ = [face for face in faces if not face["reason"]]
    if not open_:
        return
    for wanted in (
        lambda face: face["code"] == chosen,
        lambda face: face["label"] == label,
        lambda face: face["code"] == usual,
        lambda face: face["face_fen"] == USUAL_FACE_FEN,
    ):
        hit = next((face for face in open_ if wanted(face)), None)
        if hit is not None:
            hit["checked"] = True
            return
    open_[0]["checked"] = True


def _recent(employee: Employee, slugs: list[str]) -> list[Order]:
    return list(orders.orders_of(employee).filter(product_slug__in=slugs).prefetch_related(None)[:20])


def _other_numbers(employee: Employee, recent: list[Order]) -> list[str]:
    numbers = dict.fromkeys(order.account for order in recent if order.account != employee.mobile)
    return [number for number in numbers if mobile.clean(number)][:3]
