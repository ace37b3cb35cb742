"""Goodwill by way of the platform's console: offered where an outcome is unknown or failed, given once, told in sums."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django_tenants.utils import tenant_context

from benefits.fulfilment.models import Attempt, Delivery
from benefits.points import goodwill
from benefits.points.models import Grant
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories

URLCONF = "config.urls_platform"


def url(name: str, *args: object) -> str:
    return reverse(f"platform_{name}", args=args, urlconf=URLCONF)


@pytest.fixture
def unknown(public: None) -> Delivery:
    """Alice's top-up, of which its supplier says nothing."""
    with tenant_context(Company.objects.get(schema_name="acme")):
        factories.a_catalogue()
        order = factories.redeem(factories.an_employee(with_fen=9_900))
        attempt = factories.claim(Delivery.objects.get(order_number=order.number))
        Attempt.objects.filter(pk=attempt.pk).update(status="unknown")
    return attempt.delivery


def _typed(**changes: str) -> dict[str, str]:
    return {"fen": "50", "reason": "So slow", "seen": "unknown", "request_key": str(uuid4()), **changes}


@pytest.mark.parametrize("who", ["operator", "finance", "administrator"])
def test_it_is_given_once_and_shown(who: str, unknown: Delivery, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(who)
    page = url("delivery", unknown.pk)
    assert 'name="seen" value="unknown"' in client.get(page).text

    typed = _typed()
    for _ in range(2):  # sent twice
        answer = client.post(url("goodwill_give", unknown.pk), typed)
        assert answer.status_code == 302, answer.text
    shown = client.get(page).text
    assert "¥50.00" in shown and "So slow" in shown and 'name="seen"' not in shown
    other = client.post(url("goodwill_give", unknown.pk), _typed())
    assert other.status_code == 422

    with tenant_context(Company.objects.get(schema_name="acme")):
        assert Grant.objects.filter(source__startswith="orders.item:").count() == 1
        assert goodwill.figures().given_fen == 5_000
    event = AuditEvent.objects.get(action="goodwill.given")
    assert event.facts == {"company": "acme", "fen": 5_000}
    sums = client.get(url("goodwill")).text
    assert "Acme" in sums and "50.00" in sums


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"fen": "200.01"}, "200.00"),
        ({"fen": "0"}, "¥0"),
        ({"fen": "x"}, "x"),
        ({"fen": "-5"}, "-5"),
        ({"reason": ""}, ""),
        ({"seen": "failed"}, ""),
        ({"request_key": "1"}, ""),
        ({"fen": "1" * 21}, ""),
    ],
)
def test_what_is_wrong_is_said_in_the_form(
    operator: Client, unknown: Delivery, changes: dict[str, str], says: str
) -> None:
    answer = operator.post(url("goodwill_give", unknown.pk), _typed(**changes))
    assert answer.status_code == 422
    assert says in answer.text
    assert 'name="request_key"' in answer.text
    with tenant_context(Company.objects.get(schema_name="acme")):
        assert goodwill.figures().given_fen == 0


def test_nothing_is_offered_where_nothing_is_wrong(operator: Client, unknown: Delivery) -> None:
    Attempt.objects.filter(delivery=unknown).update(status="waiting")
    assert 'name="seen"' not in operator.get(url("delivery", unknown.pk)).text
    assert operator.post(url("goodwill_give", unknown.pk), _typed()).status_code == 422
    assert operator.post(url("goodwill_give", 10**9), _typed()).status_code == 404


def test_without_any_the_page_says_so(operator: Client) -> None:
    assert operator.get(url("goodwill")).status_code == 200
