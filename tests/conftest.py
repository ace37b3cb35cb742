"""Fixtures that every test may use. The companies are Acme, where tests happen, and Globex, which catches leaks.

An ordinary test runs in a transaction that is rolled back. A test of races or of other processes asks for
`race_company`: Acme in a database of its own, where every change is really committed.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache

from tenants.db import connection
from tenants.models import Company
from tests import environment

pytest_plugins = ["tests.processes"]


@pytest.fixture(scope="session")
def database_template(django_db_blocker: Any) -> str:
    """The database that all others are copied from; made once for the code as it stands."""
    environment.start_services()
    with django_db_blocker.unblock():
        return environment.template()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_blocker: Any, django_test_environment: None
) -> Iterator[None]:
    """One copy of the template for all tests of this process that roll back."""
    with django_db_blocker.unblock():
        template = request.getfixturevalue("database_template")
        with environment.copy(template) as name:
            environment.use(name)
            yield
            environment.use(f"{environment.PREFIX}_none")
    shutil.rmtree(environment.state(), ignore_errors=True)


@pytest.fixture(autouse=True)
def _clean_cache(request: pytest.FixtureRequest) -> None:
    """What an earlier test cached was about rows that are rolled back."""
    if {"db", "race_company", "mall"} & set(request.fixturenames):
        cache.clear()


@pytest.fixture
def public(db: None) -> Iterator[None]:
    """The public schema, where the platform's own people and rows are."""
    connection.set_schema_to_public()
    yield
    connection.set_schema_to_public()


@pytest.fixture
def acme(db: None) -> Iterator[Company]:
    """The company that tests happen in; its schema is entered."""
    with _inside("acme") as company:
        yield company


@pytest.fixture
def globex(db: None, request: pytest.FixtureRequest) -> Iterator[Company]:
    """The company that must not notice; its schema is entered unless the test is in Acme's."""
    if "acme" in request.fixturenames or "race_company" in request.fixturenames:
        yield Company.objects.get(schema_name="globex")
        return
    with _inside("globex") as company:
        yield company


@pytest.fixture
def race_company(database_template: str, django_db_setup: None, django_db_blocker: Any) -> Iterator[Company]:
    """Acme in a database of its own: what commits is there for other threads and processes, and gone afterwards."""
    with django_db_blocker.unblock(), committed_database(database_template), _inside("acme") as company:
        yield company


@pytest.fixture(scope="module")
def module_company(
    database_template: str, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Company]:
    """Like `race_company`, shared by the tests of one module: each brings its own people and looks at those alone."""
    with django_db_blocker.unblock(), committed_database(database_template), _inside("acme") as company:
        yield company


@contextlib.contextmanager
def committed_database(template: str) -> Iterator[None]:
    """Turn this process to a fresh copy of the template, and back."""
    before = connection.settings_dict["NAME"]
    with environment.copy(template) as name:
        environment.use(name)
        try:
            yield
        finally:
            environment.use(before)


@pytest.fixture
def at_once() -> Callable[..., list[object]]:
    """Run functions at the same moment, each in a thread with a connection of its own."""
    from tests.races import at_once

    return at_once


@contextlib.contextmanager
def _inside(schema: str) -> Iterator[Company]:
    connection.set_schema_to_public()
    company = Company.objects.get(schema_name=schema)
    connection.set_tenant(company)
    try:
        yield company
    finally:
        connection.set_schema_to_public()
