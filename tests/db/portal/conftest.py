"""The portal's tests: Acme with a catalogue and one employee at a browser."""

import pytest
from django.db import connection
from django.test import Client

from benefits.people.models import Employee
from tenants.models import Company
from tests.db.portal import stage


class Browser(Client):
    """A client on a company's host; after each request the test is in the company's schema again."""

    def __init__(self, company: Company) -> None:
        super().__init__(headers={"host": f"{company.schema_name}.localhost", "accept-language": "en"})
        self.company = company
        self.cookies["language"] = "en"

    def request(self, **request: object):  # type: ignore[no-untyped-def]
        try:
            return super().request(**request)
        finally:
            connection.set_tenant(self.company)


@pytest.fixture
def shop(acme: Company) -> Company:
    """Acme with the example catalogue on offer."""
    stage.a_catalogue()
    return acme


@pytest.fixture
def alice(shop: Company) -> Employee:
    """An employee with 1,000 yuan of points."""
    return stage.an_employee(with_fen=100_000)


@pytest.fixture
def browser(shop: Company, alice: Employee) -> Browser:
    """Alice's browser, signed in."""
    client = Browser(shop)
    assert alice.user
    client.force_login(alice.user)
    return client


@pytest.fixture
def bobs(shop: Company) -> Browser:
    """The browser of a colleague who has nothing."""
    bob = stage.an_employee("A002", "李雷", mobile="18612345678")
    client = Browser(shop)
    assert bob.user
    client.force_login(bob.user)
    return client
