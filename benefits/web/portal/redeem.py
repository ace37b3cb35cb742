"""Choosing, confirming and redeeming one product. Every step is a POST, so that no number is in an address."""

from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from benefits import mobile, tasks
from benefits.catalogue import queries as catalogue
from benefits.catalogue.kinds import KINDS
from benefits.catalogue.models import Product, Sku
from benefits.orders import operations as orders
from benefits.orders import queries as order_queries
from benefits.orders.errors import InvalidAccount, NotOffered, PriceChanged
from benefits.people.models import Employee
from benefits.web.portal import offer, shown
from benefits.web.portal.forms import Choice, RedeemForm
from benefits.web.portal.visitor import Purse, employee_of, user_of
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

PHONE_KINDS = (Product.Kind.TOP_UP, Product.Kind.DATA)


@allow(Role.EMPLOYEE)
@require_safe
def top_up(request: HttpRequest, kind: str) -> HttpResponse:
    """Phone credit or data for the reader's own number: one tap from home, confirmed by the second."""
    employee = employee_of(request)
    found = list(catalogue.products().filter(kind=kind))
    if not found:
        raise Http404
    carrier = mobile.carrier(employee.mobile)
    product = next((one for one in found if one.carrier == carrier), found[0])
    return _choose(request, product, siblings=found, account=employee.mobile)


@allow(Role.EMPLOYEE)
@require_http_methods(["GET", "HEAD", "POST"])
def product(request: HttpRequest, slug: str) -> HttpResponse:
    """A product's sizes; a POST goes on to the confirmation, or redeems at once for the reader's own number."""
    found = _find(slug)
    kind = KINDS[found.kind]
    employee = employee_of(request)
    if request.method != "POST":
        return _choose(request, found, account=employee.mobile if kind.needs_account else "")
    account = request.POST.get("account", "")[:120]
    if carrier := request.POST.get("carrier"):
        siblings = list(catalogue.products().filter(kind=found.kind))
        other = next((one for one in siblings if one.carrier == carrier), found)
        return _choose(request, other, siblings=siblings, account=account)
    form = RedeemForm(request.POST, kind=kind)
    if not form.is_valid() or request.POST.get("step") == "change":
        errors = {} if request.POST.get("step") == "change" else form.errors
        return _choose(
            request,
            found,
            account=account,
            chosen=request.POST.get("choice", ""),
            key=request.POST.get("request_key", ""),
            account_error=_first(errors.get("account")),
            choice_error=_first(errors.get("choice")) or _first(errors.get("request_key")),
            status=422 if errors else 200,
        )
    choice, cleaned = form.cleaned_data["choice"], form.cleaned_data["account"]
    sku = _find_sku(choice, kind=found.kind)
    is_own = cleaned == employee.mobile and _fits(sku, cleaned)
    if found.kind in PHONE_KINDS and is_own and sku.price_fen == choice.quoted_fen:
        return _redeem(request, employee, sku, choice, cleaned, form.cleaned_data["request_key"])
    return _confirm(request, employee, sku, choice, cleaned, str(form.cleaned_data["request_key"]))


@allow(Role.EMPLOYEE)
@require_POST
def faces(request: HttpRequest, slug: str) -> HttpResponse:
    """The sizes again, for the carrier of the number that was typed, or for the one that was picked."""
    found = _find(slug)
    siblings = list(catalogue.products().filter(kind=found.kind))
    number = mobile.clean(request.POST.get("account", "")[:120]) or ""
    carrier = request.POST.get("carrier") or mobile.carrier(number)
    chosen = next((one for one in siblings if one.carrier == carrier), found)
    page = offer.page(
        employee_of(request),
        chosen,
        siblings=siblings,
        label=request.POST.get("label", "")[:60],
        at=timezone.now(),
    )
    return render(request, "portal/_faces.html", page)


@allow(Role.EMPLOYEE)
@require_POST
def confirmed(request: HttpRequest, slug: str) -> HttpResponse:
    """Redeem what the confirmation page showed."""
    found = _find(slug)
    form = RedeemForm(request.POST, kind=KINDS[found.kind])
    if not form.is_valid():
        return product(request, slug)
    choice = form.cleaned_data["choice"]
    sku = _find_sku(choice, kind=found.kind)
    return _redeem(
        request,
        employee_of(request),
        sku,
        choice,
        form.cleaned_data["account"],
        form.cleaned_data["request_key"],
    )


@allow(Role.EMPLOYEE)
@require_POST
def again(request: HttpRequest, number: str) -> HttpResponse:
    """The confirmation page for the same once more."""
    employee = employee_of(request)
    order = order_queries.find_order(employee, number)
    sku = catalogue.find_sku(order.sku_code)
    if sku is None or not catalogue.is_offered(sku):
        raise NotOffered(product=shown.name_of(order))
    return _confirm(request, employee, sku, Choice(sku.code, sku.price_fen), order.account, str(uuid4()))


def _redeem(
    request: HttpRequest, employee: Employee, sku: Sku, choice: Choice, account: str, key: Any
) -> HttpResponse:
    try:
        order = orders.redeem(
            employee=employee,
            sku=sku,
            account=account,
            quoted_fen=choice.quoted_fen,
            request_key=key,
            actor=user_of(request),
            at=timezone.now(),
        )
    except PriceChanged as error:
        return _confirm(request, employee, sku, choice, account, str(key), error=error)
    except InvalidAccount as error:
        return _choose(
            request, sku.product, account=account, chosen=request.POST["choice"], key=str(key), account_error=str(error),
            status=error.status,
        )  # fmt: skip
    except DomainError as error:
        return _choose(
            request,
            sku.product,
            account=account,
            chosen=request.POST["choice"],
            error=error,
            status=error.status,
        )
    tasks.ring_delivery()
    return _to_order(order.number)


def _to_order(number: str) -> HttpResponseRedirect:
    return redirect("portal:order", number)


def _choose(
    request: HttpRequest,
    found: Product,
    *,
    account: str,
    siblings: list[Product] | None = None,
    chosen: str = "",
    key: str = "",
    error: DomainError | None = None,
    account_error: str = "",
    choice_error: str = "",
    status: int = 200,
) -> HttpResponse:
    employee, at = employee_of(request), timezone.now()
    if siblings is None and found.kind in PHONE_KINDS:
        siblings = list(catalogue.products().filter(kind=found.kind))
    page = offer.page(employee, found, siblings=siblings or [], chosen=chosen, at=at)
    number = mobile.clean(account) or ""
    page |= {
        "tab": "catalogue",
        "account": mobile.grouped(number) if number else account,
        "own": employee.mobile,
        "hint": shown.CARRIERS.get(mobile.carrier(number), ""),
        "request_key": key or str(uuid4()),
        "error": str(error) if error else "",
        "account_error": account_error,
        "choice_error": choice_error,
    }
    return render(request, page["kind"].template, page, status=status)


def _confirm(
    request: HttpRequest,
    employee: Employee,
    sku: Sku,
    choice: Choice,
    account: str,
    key: str,
    *,
    error: PriceChanged | None = None,
) -> HttpResponse:
    at = timezone.now()
    kind = KINDS[sku.product.kind]
    left = Purse(employee, at=at).spendable_fen(sku.product.category.slug) - sku.price_fen
    carrier = mobile.carrier(account) if kind.is_phone else ""
    has_moved = sku.price_fen != choice.quoted_fen
    return render(
        request,
        "portal/confirm.html",
        {
            "tab": "catalogue",
            "product": sku.product,
            "sku": sku,
            "plate": shown.plate(sku.product),
            "kind": kind,
            "account": mobile.grouped(account) if kind.is_phone else account,
            "is_own": kind.is_phone and account == employee.mobile,
            "carrier": shown.CARRIERS.get(carrier, ""),
            "differs": ""
            if not kind.is_phone or _fits(sku, account)
            else shown.CARRIERS.get(sku.product.carrier, ""),
            "choice": f"{sku.code}:{sku.price_fen}",
            "request_key": key,
            "was_fen": choice.quoted_fen if has_moved else 0,
            "after_fen": left,
            "short_fen": max(0, -left),
            "promise": sku.get_speed_display(),
        },
        status=409 if has_moved else 200,
    )


def _fits(sku: Sku, number: str) -> bool:
    # A prefix is advice: where it speaks against the product the reader is asked, not refused.
    return not sku.product.carrier or mobile.carrier(number) in ("", sku.product.carrier)


def _find(slug: str) -> Product:
    found = catalogue.find_product(slug)
    if found is None:
        raise Http404
    return found


def _find_sku(choice: Choice, *, kind: str) -> Sku:
    sku = catalogue.find_sku(choice.sku_code)
    if sku is None or sku.product.kind != kind:
        raise NotOffered(product=_("this size"))
    return sku


def _first(errors: Any) -> str:
    return str(errors[0]) if errors else ""
