"""The editor's pages in a browser: they load whole, in Chinese, under their content policy, and ask no other host."""

from collections.abc import Iterator
from itertools import count

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from cms.models import HomePage
from tenants.db import connection
from tenants.identity.roles import Role
from tenants.models import Company
from tests.people import client_of, somebody
from tests.processes import Mall

names = count(1)
PAGES = [
    "/cms/",
    "/cms/pages/{home}/",
    "/cms/pages/{home}/edit/",
    "/cms/pages/{home}/add_subpage/",
    "/cms/pages/add/cms/{kind}/{home}/",
    "/cms/pages/{home}/history/",
    "/cms/pages/{home}/move/",
    "/cms/pages/{home}/copy/",
    "/cms/pages/search/?q=a",
    "/cms/images/",
    "/cms/images/add/",
    "/cms/documents/",
    "/cms/documents/multiple/add/",
    "/cms/reports/site-history/",
    "/cms/reports/locked/",
    "/cms/reports/aging-pages/",
    "/cms/account/",
]


@pytest.fixture
def editor(mall: Mall, browser: Browser) -> Iterator[Page]:
    """The desk of an editor of Acme who has signed in; whatever a page complains of fails the test."""
    connection.set_tenant(Company.objects.get(schema_name="acme"))
    client = client_of(somebody(Role.EDITOR, name=f"edda{next(names)}"), host="acme.localhost")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": mall.url("acme")}])
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def test_every_page_of_the_editor_is_whole(mall: Mall, editor: Page) -> None:
    complaints: list[str] = []
    here = ""
    editor.on(
        "console",
        lambda one: complaints.append(f"{here}: {one.text}") if one.type in ("error", "warning") else None,
    )
    editor.on("pageerror", lambda error: complaints.append(f"{here}: {error}"))
    editor.on(
        "response",
        lambda answer: (
            complaints.append(f"{here}: {answer.status} {answer.url}") if answer.status >= 400 else None
        ),
    )
    editor.on(
        "request",
        lambda request: (
            None
            if "localhost" in request.url.split("/")[2] or not request.url.startswith("http")
            else complaints.append(f"{here} asked {request.url}")
        ),
    )
    home = HomePage.objects.get()
    kind = home.allowed_subpage_models()[0]._meta.model_name
    for path in PAGES:
        here = path.format(home=home.pk, kind=kind)
        answer = editor.goto(mall.url("acme", here))
        assert answer is not None
        assert answer.status == 200, here
        editor.wait_for_load_state("networkidle")
        expect(editor.locator("#wagtail-sidebar nav").first).to_be_visible()
    assert complaints == []


def test_the_account_page_says_what_wagtail_means(mall: Mall, editor: Page) -> None:
    editor.goto(mall.url("acme", "/cms/account/"))
    text = editor.locator("body").inner_text()
    assert "帐号" in text or "账号" in text
    for word in ("充值账号", "分页", "工号", "在职", "时区"):
        assert word not in text


def test_an_editor_changes_the_home_page_and_previews_it(mall: Mall, editor: Page) -> None:
    complaints: list[str] = []
    editor.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
    home = HomePage.objects.get()
    editor.goto(mall.url("acme", f"/cms/pages/{home.pk}/edit/"))
    editor.locator("[name=title]").fill("秋日福利")
    editor.locator("[data-side-panel-toggle=preview]").click()
    framed = editor.frame_locator("iframe[id*=preview]").last
    expect(framed.locator("main")).to_be_visible()
    with editor.expect_navigation():
        editor.keyboard.press("Control+s")
    assert HomePage.objects.get().get_latest_revision_as_object().title == "秋日福利"
    assert complaints == []
