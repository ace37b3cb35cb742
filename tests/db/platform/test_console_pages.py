"""Every page of the console shows, to each role that may see it, with rows and without."""

import pytest
from django.test import Client
from django.urls import reverse

from benefits.fulfilment.models import Attempt, Case, Delivery
from benefits.funds.models import Deposit
from tenants.identity.models import User

URLCONF = "config.urls_platform"
LISTS = ["desk", "companies", "deposits", "deliveries", "suppliers", "batches", "cases"]


def url(name: str, *args: object) -> str:
    return reverse(f"platform_{name}", args=args, urlconf=URLCONF)


@pytest.mark.parametrize("name", LISTS)
def test_lists_show_without_a_row(operator: Client, name: str) -> None:
    assert operator.get(url(name)).status_code == 200


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_shows_with_rows(
    operator: Client,
    finance: Client,
    administrator: Client,
    delivery: Delivery,
    deposit: Deposit,
    language: str,
) -> None:
    attempt, case = Attempt.objects.get(), Case.objects.get()
    own = [url("company_open"), url("supplier_add"), url("company", "acme"), url("supplier", "north")]
    own += [url("delivery", delivery.pk), url("batch", attempt.batch_id), url("case", case.pk)]
    own += [url(name) for name in LISTS]
    for address in own:
        operator.cookies["language"] = language
        answer = operator.get(address)
        assert answer.status_code == 200, address
        assert "top-secret" not in answer.text
        assert "13800138000" not in answer.text
    for address in [url("audit"), url("staff"), url("member", User.objects.get(name="olga").pk)]:
        assert administrator.get(address).status_code == 200
    assert "BANK-1" in finance.get(url("deposits")).text


@pytest.mark.parametrize(
    "text",
    [
        "A20260105001",
        "a2026",
        "13800138000",
        "+86 138-0013-8000",
        "138****8000",
        "138 **** 8000",
        "R-0001",
        "S-77",
    ],
)
def test_where_is_my_top_up(operator: Client, delivery: Delivery, text: str) -> None:
    assert "A20260105001" in operator.get(url("deliveries"), {"q": text}).text


@pytest.mark.parametrize("text", ["B1", "13800138001", "138****8001", "***", "*", "(.*)*\\", "\x00X"])
def test_a_search_finds_nothing_that_does_not_fit(operator: Client, delivery: Delivery, text: str) -> None:
    answer = operator.get(url("deliveries"), {"q": text})
    assert answer.status_code == 200
    assert url("delivery", delivery.pk) not in answer.text


@pytest.mark.parametrize(
    "query",
    ["?page=0", "?page=999", "?page=x", "?status=nonsense", "?age=h1", "?show=unknown", "?company=acme"],
)
def test_odd_filters_show_a_page(operator: Client, delivery: Delivery, query: str) -> None:
    for name in LISTS:
        assert operator.get(url(name) + query).status_code == 200
