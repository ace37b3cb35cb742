"""People and rows that the console shows."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from benefits.catalogue.models import Category, Product, Sku
from benefits.fulfilment import operations as fulfilment
from benefits.fulfilment.models import Attempt, Batch, CallbackReceived, Case, Delivery, Offer, Supplier
from benefits.funds import operations as funds
from benefits.funds.models import Deposit
from tenants.identity.roles import Role
from tenants.models import Company
from tests.people import client_of, somebody

MOBILE = "13800138000"


@pytest.fixture
def operator(public: None) -> Client:
    return client_of(somebody(Role.OPERATOR, name="olga"))


@pytest.fixture
def finance(public: None) -> Client:
    return client_of(somebody(Role.PLATFORM_FINANCE, name="fei"))


@pytest.fixture
def second_finance(public: None) -> Client:
    return client_of(somebody(Role.PLATFORM_FINANCE, name="feng"))


@pytest.fixture
def administrator(public: None) -> Client:
    return client_of(somebody(Role.PLATFORM_ADMIN, name="ada"))


@pytest.fixture
def offer(public: None) -> Offer:
    """One supplier with one offer."""
    category = Category.objects.create(slug="phone-x", name_zh="通讯", name_en="Phone")
    product = Product.objects.create(
        slug="mobile-x", category=category, kind="top_up", name_zh="移动话费", name_en="Mobile credit"
    )
    Sku.objects.create(
        code="mobile-x-50",
        product=product,
        name_zh="50 元",
        name_en="¥50",
        face_fen=5000,
        price_fen=4950,
        tax_category="telecom",
    )
    supplier = Supplier.objects.create(
        slug="north",
        name="North",
        adapter="goofish",
        base_url="http://127.0.0.1:9",
        credentials='{"app_id":"1","app_secret":"top-secret","mch_id":"2","mch_secret":"x"}',
    )
    return Offer.objects.create(supplier=supplier, sku_code="mobile-x-50", supplier_code="N50", cost_fen=4900)


@pytest.fixture
def delivery(offer: Offer) -> Delivery:
    """A delivery whose only attempt is unknown, with a callback and an open case."""
    at = timezone.now() - timedelta(minutes=20)
    delivery = Delivery.objects.create(
        company="acme",
        item_id=1,
        order_number="A20260105001",
        sku_code="mobile-x-50",
        kind="top_up",
        speed="fast",
        face_fen=5000,
        ceiling_fen=4950,
        account=MOBILE,
        account_hint="138 **** 8000",
        account_index=fulfilment.account_index(MOBILE),
        due_at=at,
        created_at=at,
    )
    Delivery.objects.filter(pk=delivery.pk).update(status=Delivery.Status.ACTIVE)
    batch = Batch.objects.create(supplier=offer.supplier, size=1, started_at=at)
    attempt = Attempt.objects.create(
        delivery=delivery,
        offer=offer,
        supplier=offer.supplier,
        batch=batch,
        number=1,
        reference="R-0001",
        status=Attempt.Status.UNKNOWN,
        supplier_reference="S-77",
        cost_fen=4900,
        sends=1,
        due_at=at,
        created_at=at,
        sent_at=at,
    )
    CallbackReceived.objects.create(
        supplier=offer.supplier,
        attempt=attempt,
        reference="R-0001",
        is_genuine=True,
        says="success",
        body_digest="ab" * 32,
        received_at=at,
    )
    Case.objects.create(
        kind=Case.Kind.OVERDUE, attempt=attempt, detail="unknown for 20 minutes", opened_at=at
    )
    delivery.refresh_from_db()
    return delivery


@pytest.fixture
def deposit(public: None) -> Deposit:
    company = Company.objects.get(schema_name="acme")
    recorder = somebody(Role.PLATFORM_FINANCE, name="fu")
    return funds.record_deposit(
        company=company, fen=1_000_000, reference="BANK-1", actor=recorder, at=timezone.now()
    )
