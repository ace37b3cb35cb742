"""Suppliers and offers: how they are, pausing them, credentials that go in and never come out."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from benefits import money
from benefits.catalogue.models import Sku
from benefits.fulfilment import operations, oversight, upkeep
from benefits.fulfilment.models import Offer, Supplier
from benefits.web.platform import desk, look, who
from benefits.web.platform.forms import OfferForm, SupplierChangeForm, SupplierForm
from tenants.errors import DomainError

PAUSES = {
    "30m": timedelta(minutes=30),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "long": timedelta(days=3650),
}


@who.everyone
def suppliers(request: HttpRequest) -> HttpResponse:
    """Every supplier with its last day."""
    at = timezone.now()
    rows = [desk.supplier_row(one, at=at) for one in oversight.suppliers(since=at - timedelta(days=1))]
    context = {"section": "suppliers", "rows": rows, "may_run": who.may(request, who.OPERATORS)}
    return render(request, "platform/suppliers.html", context)


@sensitive_post_parameters("credentials")
@who.operators
def add(request: HttpRequest) -> HttpResponse:
    """Add a supplier."""
    form = SupplierForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            supplier = upkeep.add_supplier(**form.cleaned_data, actor=who.person(request), at=timezone.now())
        except DomainError as error:
            form.add_error("slug" if error.code == "supplier_exists" else "credentials", str(error))
        else:
            messages.success(request, _("Added. Give it offers so that deliveries can go there."))
            return redirect("platform_supplier", slug=supplier.slug)
    return render(request, "platform/supplier_add.html", {"section": "suppliers", "form": form})


@sensitive_post_parameters("credentials")
@who.everyone
def supplier(request: HttpRequest, slug: str) -> HttpResponse:
    """One supplier: its figures, its offers, what may be changed."""
    return _page(request, get_object_or_404(Supplier, slug=slug))


def _page(request: HttpRequest, found: Supplier, **more: Any) -> HttpResponse:
    at = timezone.now()
    row = desk.supplier_row(oversight.suppliers(since=at - timedelta(days=1)).get(pk=found.pk), at=at)
    offers = look.page_of(request, found.offers.order_by("sku_code", "priority"), 100)
    context = {
        "section": "suppliers",
        "one": found,
        "row": row,
        "page": offers,
        "offers": [_offer(one, at=at) for one in offers],
        "may_run": who.may(request, who.OPERATORS),
        "has_credentials": bool(found.credentials),
        "form": SupplierChangeForm(
            initial={"name": found.name, "base_url": found.base_url, "is_active": found.is_active}
        ),
        "offer_form": OfferForm(skus=_skus()),
        "pauses": [
            ("30m", _("30 minutes")),
            ("4h", _("4 hours")),
            ("1d", _("a day")),
            ("long", _("until resumed")),
        ],
        **more,
    }
    return render(request, "platform/supplier.html", context, status=422 if more.get("wrong") else 200)


def _skus() -> list[tuple[str, str]]:
    rows = Sku.objects.select_related("product").order_by("product__position", "product", "position")
    return [(sku.code, f"{sku.product.name} {sku.name} · {sku.code}") for sku in rows]


def _offer(one: Offer, *, at: Any) -> dict[str, Any]:
    return {
        "offer": one,
        "cost": money.yuan_grouped(one.cost_fen),
        "paused": one.paused_until is not None and one.paused_until > at,
    }


@sensitive_post_parameters("credentials")
@require_POST
@who.operators
def change(request: HttpRequest, slug: str) -> HttpResponse:
    """Change a supplier's name, address, use or credentials."""
    found = get_object_or_404(Supplier, slug=slug)
    form = SupplierChangeForm(request.POST)
    if form.is_valid():
        try:
            upkeep.change_supplier(
                supplier=found, **form.cleaned_data, actor=who.person(request), at=timezone.now()
            )
        except DomainError as error:
            form.add_error("credentials", str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("platform_supplier", slug=slug)
    return _page(request, found, form=form, wrong=True)


@require_POST
@who.operators
def pause(request: HttpRequest, slug: str) -> HttpResponse:
    """Send nothing more to a supplier for a while; what it has is still asked after."""
    found, at = get_object_or_404(Supplier, slug=slug), timezone.now()
    span = PAUSES.get(request.POST.get("for", ""))
    operations.pause_supplier(
        supplier=found, until=at + span if span else None, actor=who.person(request), at=at
    )
    done = (
        _("Paused: nothing new is sent there; what it has is still asked after.") if span else _("Resumed.")
    )
    messages.success(request, done)
    return redirect("platform_supplier", slug=slug)


@require_POST
@who.operators
def set_offer(request: HttpRequest, slug: str) -> HttpResponse:
    """Add or change one of its offers."""
    found = get_object_or_404(Supplier, slug=slug)
    form = OfferForm(request.POST, skus=_skus())
    if form.is_valid():
        values = form.cleaned_data
        upkeep.set_offer(
            supplier=found,
            sku_code=values["sku_code"],
            supplier_code=values["supplier_code"],
            cost_fen=values["cost"],
            priority=values["priority"],
            is_active=values["is_active"],
            actor=who.person(request),
            at=timezone.now(),
        )
        messages.success(request, _("The offer is saved."))
        return redirect("platform_supplier", slug=slug)
    return _page(request, found, offer_form=form, wrong=True)


@require_POST
@who.operators
def pause_offer(request: HttpRequest, slug: str, offer_id: int) -> HttpResponse:
    """Take an offer out of routing for a while, or bring it back."""
    offer, at = get_object_or_404(Offer, pk=offer_id, supplier__slug=slug), timezone.now()
    span = PAUSES.get(request.POST.get("for", ""))
    operations.pause_offer(offer=offer, until=at + span if span else None, actor=who.person(request), at=at)
    return redirect("platform_supplier", slug=slug)
