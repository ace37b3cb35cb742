"""What expires is said where people look: on the home page and in the wallet, with its last day and what refunds do."""

from datetime import timedelta

from django.utils import timezone

from benefits.people.models import Employee
from benefits.points import days
from tenants.models import Company
from tests.db.portal import stage
from tests.db.portal.conftest import Browser


def _expiring(employee: Employee, in_days: int, fen: int) -> None:
    end = days.end_of(timezone.localdate() + timedelta(days=in_days))
    stage.points.grant(
        budget=stage.a_budget(), audience=stage.points.Audience(amounts=((employee.employee_no, fen),)), fen=0,
        reason="Spring", expires_at=end, request_key=stage.uuid4(), actor=None, at=timezone.now(),
    )  # fmt: skip


def test_nothing_is_said_without_need(browser: Browser, alice: Employee) -> None:
    _expiring(alice, 40, 5_000)
    for path in ("/", "/wallet/"):
        assert "can be spent until" not in browser.get(path).text


def test_the_last_day_and_how_many_are_left(browser: Browser, alice: Employee) -> None:
    for in_days, words in (
        (9, "for 9 more days"),
        (1, ", tomorrow"),
        (0, "Today is the last day to spend 50 points"),
    ):
        _expiring(alice, in_days, 5_000)
        for path in ("/", "/wallet/"):
            assert words in browser.get(path).text, (path, words)


def test_another_companys_name_for_points_and_chinese(
    browser: Browser, alice: Employee, shop: Company
) -> None:
    Company.objects.filter(pk=shop.pk).update(points_name="福豆", points_per_yuan=10)
    _expiring(alice, 9, 5_000)
    browser.cookies["language"] = "zh-hans"
    browser.post("/me/preferences/", {"language": "zh-hans"})
    assert "500 福豆可用到" in browser.get("/wallet/").text


def test_a_refund_to_what_was_over_is_marked_and_the_days_are_told(browser: Browser, alice: Employee) -> None:
    """Granted and spent ten days ago, over for a day, and refunded now."""
    then = timezone.now() - timedelta(days=10)
    stage.points.grant(
        budget=stage.a_budget(), audience=stage.points.Audience(amounts=((alice.employee_no, 4_950),)), fen=0,
        reason="Spring", expires_at=then + timedelta(days=9), request_key=stage.uuid4(), actor=None, at=then,
    )  # fmt: skip
    order = stage.an_order(alice, at=then)
    assert "From a refund" not in browser.get("/wallet/").text
    stage.finish(order, failed="maintenance")
    shown = browser.get("/wallet/").text
    assert "From a refund, until" in shown
    assert "can be spent for 30 more days" in shown
