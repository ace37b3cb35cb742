"""Rules by way of the console: every refusal at its field, read by some and changed by fewer, fast with many rows."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from benefits.approvals.models import Approval, ApprovalLimit, Kind
from benefits.campaigns import occasions, operations
from benefits.campaigns.definition import Definition
from benefits.campaigns.models import GrantRule
from benefits.people.models import Employee
from benefits.web.company.rule_parts import FESTIVALS, STEPS, grade_field, next_festival
from tenants.models import Company
from tests.db.company.conftest import a_budget, employ

Door = Callable[..., Client]


def text(response: Any) -> str:
    return str(response.content.decode())


def fields(budget_: Any, **changes: Any) -> dict[str, Any]:
    """A rule's form as a browser sends it: all that is hidden goes along."""
    return {
        "name": "Mid-Autumn",
        "budget": str(budget_.pk),
        "whom": "all",
        "stage": "",
        "kind": "festival",
        "festival": "mid_autumn",
        "how": "same",
        "points": "20",
        "until": "never",
        **changes,
    }


def a_rule(budget: Any, *, name: str = "Birthdays", active: bool = False, **parts: Any) -> GrantRule:
    """A rule that gives everyone 20 yuan on a festival, unless `parts` say otherwise."""
    data = {
        "audience": {"everyone": True},
        "occasion": {"kind": "festival", "festival": "mid_autumn"},
        "amount": {"fen": 2000},
        **parts,
    }
    rule = operations.make_rule(
        name=name, budget=budget, definition=Definition.of_json(data), actor=None, at=timezone.now()
    )
    return operations.activate_rule(rule=rule, actor=None, at=timezone.now()) if active else rule


def errors_of(response: Any) -> dict[str, Any]:
    assert response.status_code == 422
    return dict(response.context["form"].errors)


def test_a_rule_is_written_looked_at_and_put_to_work(hr: Client, acme: Company) -> None:
    employ(3)
    budget = a_budget(acme, yuan=1000)
    made = hr.post(
        reverse("company_rule_new"), fields(budget, days_before="3", until="days", until_days="90")
    )
    rule = GrantRule.objects.get()
    assert made["Location"] == reverse("company_rule", args=[rule.pk])
    page = text(hr.get(made["Location"]))
    assert "3 days before Mid-Autumn Festival, every year" in page
    assert "90 days after they are given" in page
    coming = next_festival("mid_autumn", timezone.localdate() + timedelta(days=3)) - timedelta(days=3)
    assert coming.isoformat() in page
    state = reverse("company_rule_state", args=[rule.pk])
    for to, status in (("activate", "active"), ("pause", "paused"), ("activate", "active"), ("end", "ended")):
        assert hr.post(state, {"to": to, "request_key": str(uuid4())}).status_code == 302
        rule.refresh_from_db()
        assert rule.status == status
    again = hr.post(state, {"to": "activate", "request_key": str(uuid4())})
    assert again.status_code == 409
    assert hr.post(state, {"to": "fly", "request_key": str(uuid4())}).status_code == 404
    assert hr.post(state, {"to": "pause"}).status_code == 422


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"budget": "999999"}, "budget"),
        ({"budget": "x"}, "budget"),
        ({"whom": "nobody"}, "whom"),
        ({"whom": "some"}, "whom"),
        ({"whom": "some", "departments": "no such"}, "departments"),
        ({"whom": "some", "grades": "P99"}, "grades"),
        ({"whom": "some", "cities": "Atlantis"}, "cities"),
        ({"whom": "some", "months_from": "-1"}, "months_from"),
        ({"whom": "some", "months_from": "12", "months_to": "6"}, "months_to"),
        ({"whom": "some", "months_to": "many"}, "months_to"),
        ({"whom": "some", "stage": "forever"}, "stage"),
        ({"whom": "list"}, "listing"),
        ({"whom": "list", "listing": "A999"}, "listing"),
        ({"whom": "list", "listing": "A001\nA001"}, "listing"),
        ({"whom": "list", "listing": "A001,many"}, "listing"),
        ({"whom": "list", "listing": "A001,0"}, "listing"),
        ({"whom": "list", "listing": "A001,0.001"}, "listing"),
        ({"kind": "sometimes"}, "kind"),
        ({"kind": "monthly"}, "day"),
        ({"kind": "monthly", "day": "32"}, "day"),
        ({"kind": "monthly", "day": "1", "months": ["13"]}, "months"),
        ({"kind": "anniversary", "years": "1, two"}, "years"),
        ({"kind": "anniversary", "years": "0"}, "years"),
        ({"kind": "anniversary", "years": "99999999999999999999"}, "years"),
        ({"festival": "easter"}, "festival"),
        ({"festival": ""}, "festival"),
        ({"days_before": "91"}, "days_before"),
        ({"how": "guess"}, "how"),
        ({"points": ""}, "points"),
        ({"points": "1.234"}, "points"),
        ({"points": "-5"}, "points"),
        ({"points": "99999999"}, "points"),
        ({"how": "grade", "points": ""}, "how"),
        ({"how": "grade", grade_field("P5"): "x"}, grade_field("P5")),
        ({"how": "years", "points": ""}, "how"),
        ({"how": "years", "from_0": "1"}, "points_0"),
        ({"how": "years", "points_0": "1"}, "from_0"),
        ({"how": "years", "from_0": "1", "points_0": "1", "from_1": "1", "points_1": "2"}, "from_1"),
        ({"how": "years", "from_0": "99", "points_0": "1"}, "from_0"),
        ({"until": "doomsday"}, "until"),
        ({"until": "date"}, "until_date"),
        ({"until": "date", "until_date": "2020-01-01"}, "until_date"),
        ({"until": "date", "until_date": "2026-02-30"}, "until_date"),
        ({"until": "days"}, "until_days"),
        ({"until": "days", "until_days": "0"}, "until_days"),
        ({"until": "months", "until_months": "999"}, "until_months"),
    ],
)
def test_every_refusal_stands_at_its_field(
    hr: Client, acme: Company, changes: dict[str, Any], field: str
) -> None:
    employ(1)
    Employee.objects.update(grade="P5", city="Xi’an")
    budget = a_budget(acme)
    response = hr.post(reverse("company_rule_new"), fields(budget, **changes))
    found = errors_of(response)
    assert field in found, found
    page = text(response)
    assert 'class="errorlist"' in page or 'class="error"' in page
    assert not GrantRule.objects.exists()


def test_what_is_hidden_is_left_alone(hr: Client, acme: Company) -> None:
    employ(1)
    budget = a_budget(acme)
    sent = fields(budget, listing="A999", day="77", kind="joining", until_days="0", points_0="x", grade_9="y")
    response = hr.post(reverse("company_rule_new"), sent | {"day": "", "until_days": ""})
    assert response.status_code == 302
    assert GrantRule.objects.get().kind == "joining"


def test_a_name_is_given_once(hr: Client, acme: Company) -> None:
    employ(1)
    budget = a_budget(acme)
    a_rule(budget, name="Mid-Autumn")
    assert "name" in errors_of(hr.post(reverse("company_rule_new"), fields(budget)))


def test_each_kind_of_rule_is_shown_again_as_it_was_typed(hr: Client, acme: Company) -> None:
    employ(2)
    Employee.objects.filter(employee_no="A001").update(grade="P5", city="西安")
    budget = a_budget(acme)
    steps = {"from_0": "1", "points_0": "10", "from_1": "5", "points_1": "50"}
    kinds: tuple[dict[str, Any], ...] = (
        {"kind": "once", "whom": "list", "listing": "A001\t7.5\nA002"},
        {"kind": "monthly", "day": "31", "months": ["6", "7"], "prorate": "on"},
        {"kind": "birthday", "days_before": "2", "how": "grade", grade_field("P5"): "30", "points": "12"},
        {"kind": "anniversary", "years": "10, 1，3", "how": "years", **steps, "points": ""},
        {
            "kind": "joining",
            "whom": "some",
            "departments": ["技术中心/后端组"],
            "grades": ["P5"],
            "cities": ["西安"],
        },
        {"kind": "regular", "whom": "some", "months_from": "3", "months_to": "36", "stage": "regular"},
        {"kind": "festival", "until": "months", "until_months": "6"},
    )
    for place, changes in enumerate(kinds):
        sent = fields(budget, name=f"Rule {place}", **changes)
        made = hr.post(reverse("company_rule_new"), sent)
        assert made.status_code == 302, (changes, made.context and made.context["form"].errors)
        rule = GrantRule.objects.get(name=f"Rule {place}")
        assert hr.get(reverse("company_rule", args=[rule.pk])).status_code == 200
        shown = hr.get(reverse("company_rule_revise", args=[rule.pk]))
        assert rule.version is not None
        before = rule.version.definition
        form = shown.context["form"]
        again = {bound.name: bound.value() for bound in form if bound.value() not in (None, False, ())}
        kept = hr.post(reverse("company_rule_revise", args=[rule.pk]), again)
        assert kept.status_code == 302, (again, kept.context and kept.context["form"].errors)
        rule.refresh_from_db()
        assert rule.version is not None
        assert (rule.version.number, rule.version.definition) == (2, before)
        assert "Version 1" in text(hr.get(reverse("company_rule", args=[rule.pk])))


def test_what_a_rule_knows_is_kept_though_the_roster_no_longer_has_it(hr: Client, acme: Company) -> None:
    employ(1)
    years = {str(year): 100 * year for year in range(1, STEPS + 3)}
    by_years = a_rule(
        a_budget(acme),
        audience={"departments": ["裁撤部"], "grades": ["M9"], "cities": ["拉萨"]},
        amount={"fen": 5, "by_years": years},
    )
    by_grade = a_rule(by_years.budget, name="By grade", amount={"by_grade": {"M9": 900}})
    for rule in (by_years, by_grade):
        assert rule.version is not None
        before = rule.version.definition
        url = reverse("company_rule_revise", args=[rule.pk])
        form = hr.get(url).context["form"]
        again = {bound.name: bound.value() for bound in form if bound.value() not in (None, False, ())}
        kept = hr.post(url, again)
        assert kept.status_code == 302, kept.context and kept.context["form"].errors
        rule.refresh_from_db()
        assert rule.version.definition == before


def test_an_amount_goes_to_the_grade_it_was_typed_for(hr: Client, acme: Company) -> None:
    employ(2)
    Employee.objects.filter(employee_no="A001").update(grade="P5")
    budget = a_budget(acme)
    sent = fields(budget, how="grade", points="", **{grade_field("P5"): "30"})
    Employee.objects.filter(employee_no="A002").update(grade="P4")  # while the form is being filled in
    assert hr.post(reverse("company_rule_new"), sent).status_code == 302
    version = GrantRule.objects.get().version
    assert version is not None
    assert version.definition["amount"]["by_grade"] == {"P5": 3000}


def test_a_file_becomes_the_list(hr: Client, acme: Company) -> None:
    employ(2)
    budget = a_budget(acme)
    file = SimpleUploadedFile("名单.csv", "工号,积分\nA001,30\nA002,7\n".encode("gb18030"))
    assert hr.post(reverse("company_rule_new"), fields(budget, whom="list", file=file)).status_code == 302
    version = GrantRule.objects.get().version
    assert version is not None
    assert version.definition["audience"]["numbers"] == [["A001", 3000], ["A002", 700]]
    for name, data in (("x.xlsx", b"PK\x03\x04rubbish"), ("x.csv", b"a,b\n1,2\n"), ("x.csv", b"")):
        wrong = fields(budget, name="Two", whom="list", file=SimpleUploadedFile(name, data))
        assert {"listing", "file"} & set(errors_of(hr.post(reverse("company_rule_new"), wrong)))


def test_a_rule_at_work_rests_when_it_is_revised(hr: Client, acme: Company) -> None:
    employ(1)
    budget = a_budget(acme)
    rule = a_rule(budget, active=True)
    url = reverse("company_rule_revise", args=[rule.pk])
    assert "rests until it is activated" in text(hr.get(url))
    assert hr.post(url, fields(budget, name=rule.name, points="30")).status_code == 302
    rule.refresh_from_db()
    assert rule.status == GrantRule.Status.DRAFT
    operations.end_rule(rule=rule, actor=None, at=timezone.now())
    assert hr.get(url).status_code == 302


def test_a_rule_above_the_limit_waits_for_somebody_else(hr: Client, signed_in: Door, acme: Company) -> None:
    employ(3)
    signed_in("approver")
    rule = a_rule(a_budget(acme), occasion={"kind": "monthly", "day": 1})
    ApprovalLimit.objects.create(kind=Kind.RULE, role="hr", alone_fen=100, approves_fen=0)
    sent = {"to": "activate", "request_key": str(uuid4())}
    for _ in range(2):
        assert hr.post(reverse("company_rule_state", args=[rule.pk]), sent).status_code == 302
    rule.refresh_from_db()
    assert rule.status == GrantRule.Status.DRAFT
    asked = Approval.objects.get()
    assert (asked.kind, asked.fen) == (Kind.RULE, 12 * 3 * 2000)
    page = text(hr.get(reverse("company_rule", args=[rule.pk])))
    assert "waits for somebody else’s approval" in page
    assert 'value="activate"' not in page


def test_reading_and_changing_are_for_different_people(signed_in: Door, acme: Company) -> None:
    employ(1)
    rule = a_rule(a_budget(acme))
    reading = [reverse("company_rules"), reverse("company_rule", args=[rule.pk])]
    changing = [
        reverse("company_rule_new"),
        reverse("company_rule_revise", args=[rule.pk]),
        reverse("company_rule_rehearse", args=[rule.pk]),
        reverse("company_rule_state", args=[rule.pk]),
    ]
    for role in ("approver", "finance"):
        door = signed_in(role)
        assert [door.get(url).status_code for url in reading] == [200, 200]
        assert [door.post(url, {"to": "end"}).status_code for url in changing] == [403] * 4
        page = "".join(text(door.get(url)) for url in reading)
        assert reverse("company_rule_new") not in page
        assert changing[3] not in page
    for role in ("employee", "editor"):
        door = signed_in(role)
        assert [door.get(url).status_code for url in reading] == [403, 403]
    admin = signed_in("admin")
    assert admin.get(reverse("company_rules")).status_code in (
        200,
        302,
    )  # an administrator sets a second factor first
    for url in reading + changing:
        assert signed_in().get(url).status_code == 302
    rule.refresh_from_db()
    assert rule.status == GrantRule.Status.DRAFT


def test_what_is_not_there_is_not_found(hr: Client, acme: Company) -> None:
    for name in ("company_rule", "company_rule_revise"):
        assert hr.get(reverse(name, args=[987])).status_code == 404
    for name in ("company_rule_rehearse", "company_rule_state"):
        assert hr.post(reverse(name, args=[987]), {"to": "end"}).status_code == 404


def test_the_list_takes_as_many_queries_for_many_rules(hr: Client, acme: Company) -> None:
    employ(3)
    budget = a_budget(acme)
    a_rule(budget, name="First", active=True)
    url = reverse("company_rules")
    hr.get(url)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            page = hr.get(url)
        assert page.status_code == 200
        return len(queries)

    few = count()
    for place in range(8):
        a_rule(budget, name=f"Rule {place}", active=bool(place % 2))
    hr.get(url)
    assert count() <= few


def test_an_empty_company_is_told_what_rules_are_for(hr: Client, acme: Company) -> None:
    assert "No rules yet" in text(hr.get(reverse("company_rules")))
    assert "No open budget" in text(hr.get(reverse("company_rule_new")))


def test_festivals_are_offered_with_their_next_day() -> None:
    today = date(2026, 11, 24)
    assert next_festival("mid_autumn", today) == date(2027, 9, 15)
    assert next_festival("spring", date(2027, 2, 6)) == date(2027, 2, 6)
    assert {slug for slug, _name in FESTIVALS} == set(occasions.FESTIVALS)
