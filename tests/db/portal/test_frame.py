"""Around the portal's pages: who may see them, language and appearance, the company's colour, its home page."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

from django.contrib.staticfiles import finders
from wagtail.models import Site

from benefits.people.models import Employee
from cms import operations as cms
from cms.models import CampaignPage, HomePage
from tenants.db import transaction
from tenants.identity.roles import Role
from tenants.models import Company
from tests.db.portal import stage
from tests.db.portal.conftest import Browser

CSS = ("css/tokens.css", "css/base.css", "css/components.css", "css/portal.css", "css/console.css")
JS = ("js/app.js", "js/topup.js", "django_htmx/htmx-2.min.js")


def test_strangers_are_sent_to_sign_in(shop: Company) -> None:
    for path in ["/", "/benefits/", "/top-up/", "/orders/", "/wallet/", "/me/", "/help/"]:
        answer = Browser(shop).get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


def test_staff_without_a_wallet_have_no_portal(shop: Company) -> None:
    client = Browser(shop)
    client.force_login(stage.a_user("hana", Role.HR))
    for path in ["/benefits/", "/top-up/", "/orders/", "/wallet/", "/me/"]:
        assert client.get(path).status_code == 403
    assert "/company/" in client.get("/").content.decode()


def test_language_is_kept_with_the_user(browser: Browser, alice: Employee) -> None:
    answer = browser.post("/me/preferences/", {"language": "zh-hans"})
    assert answer.status_code == 302
    assert alice.user
    alice.user.refresh_from_db()
    assert alice.user.language == "zh-hans"
    assert "退出登录" in browser.get("/me/").content.decode()


def test_appearance_is_drawn_by_the_server(browser: Browser) -> None:
    browser.post("/me/preferences/", {"appearance": "dark"})
    assert 'data-theme="dark"' in browser.get("/me/").content.decode()
    browser.post("/me/preferences/", {"appearance": "<x>"})
    assert 'data-theme="dark"' in browser.get("/me/").content.decode()


def test_the_companys_colour_is_a_sheet_of_its_own(shop: Company) -> None:
    client = Browser(shop)
    assert client.get("/brand.css").content == b""
    Company.objects.filter(pk=shop.pk).update(brand_colour="#1F5A93")
    from tenants.middleware import forget_domains

    forget_domains(shop)
    answer = client.get("/brand.css")
    assert answer["Content-Type"].startswith("text/css")
    assert "--brand:#1F5A93" in answer.content.decode()


def test_a_company_opens_with_its_pages(acme: Company) -> None:
    home = HomePage.objects.get()
    assert Site.objects.get(is_default_site=True).root_page_id == home.pk
    with transaction():
        cms.provision(company=acme, at=datetime(2026, 1, 1, tzinfo=UTC))
    assert HomePage.objects.count() == 1


def test_the_home_page_says_what_the_editor_wrote(browser: Browser) -> None:
    home = HomePage.objects.get()
    home.hero_title, home.hero_title_en = "中秋快乐", "Happy Mid-Autumn"
    home.announcements = [
        {
            "type": "announcement",
            "value": {"title": "体检", "title_en": "Check-up", "text": "周五", "until": None},
        },
        {"type": "announcement", "value": {"title": "过期", "until": "2020-01-01"}},
    ]
    home.save()
    html = browser.get("/").content.decode()
    assert "Happy Mid-Autumn" in html
    assert "Check-up" in html
    assert "过期" not in html


def test_a_campaign_shows_its_products_while_it_lasts(browser: Browser) -> None:
    home = HomePage.objects.get()
    body = [
        {"type": "heading", "value": "团圆"},
        {"type": "products", "value": {"title": "推荐", "products": ["coffee", "iqiyi", "gone"]}},
    ]
    page = home.add_child(instance=CampaignPage(title="中秋", title_en="Mid-Autumn", slug="moon", body=body))
    assert "Mid-Autumn" in browser.get("/").content.decode()
    html = browser.get("/moon/").content.decode()
    assert "/benefits/coffee/" in html
    assert "/benefits/iqiyi/" in html
    CampaignPage.objects.filter(pk=page.pk).update(to_date=date(2020, 1, 1))
    assert "Mid-Autumn" not in browser.get("/").content.decode()


def test_editors_write_and_others_do_not(shop: Company) -> None:
    editor, hana = Browser(shop), Browser(shop)
    editor.force_login(stage.a_user("edith", Role.EDITOR))
    hana.force_login(stage.a_user("hana", Role.HR))
    home = HomePage.objects.get()
    assert editor.get("/cms/").status_code == 200
    assert editor.get(f"/cms/pages/{home.pk}/edit/").status_code == 200
    assert editor.get(f"/cms/pages/add/cms/campaignpage/{home.pk}/").status_code == 200
    assert hana.get("/cms/").status_code == 403


def test_pictures_of_another_company_are_not_there(browser: Browser) -> None:
    for name in (
        "globex/images/x.png",
        "acme/images/../../globex/images/x.png",
        "acme/rosters/x.xlsx",
        "acme/images/none.png",
    ):
        assert browser.get(f"/media/{name}").status_code == 404


def test_sheets_and_scripts_are_small() -> None:
    def weight(names: tuple[str, ...]) -> int:
        return sum(len(gzip.compress(Path(str(finders.find(name))).read_bytes())) for name in names)

    assert weight(CSS) < 40 * 1024
    assert weight(JS) < 60 * 1024
