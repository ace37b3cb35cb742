"""Books for the tests of invoices and statements."""

from collections.abc import Callable

import pytest

from tenants.models import Company
from tests.db.reports.bookkeeping import Books, books_of


@pytest.fixture
def books(acme: Company) -> Books:
    """Acme's books, in the test's transaction."""
    return books_of(acme)


@pytest.fixture
def race_books(race_company: Company) -> Books:
    """Acme's books, really committed."""
    return books_of(race_company)


@pytest.fixture
def make_books() -> Callable[[Company], Books]:
    """Books for any company."""
    return books_of
