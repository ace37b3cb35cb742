"""Roles, clerks and activation links."""

import re

from django.test import Client
from django.urls import reverse

from benefits.people.models import Employee
from tenants.identity.models import AuditEvent, User
from tenants.models import Company
from tests.db.company.conftest import Door, employ


def an_administrator(signed_in: Door) -> Client:
    """An administrator with a second factor."""
    from allauth.mfa.models import Authenticator

    client = signed_in("admin")
    Authenticator.objects.create(user=client.user, type="totp", data={"secret": "x"})  # type: ignore[attr-defined]
    return client


def link_in(page: str) -> str | None:
    found = re.search(r"https?://acme\.localhost[^\s\"<]*(/activate/[^\s\"<]+)", page)
    return found[1] if found else None


def test_a_new_employee_gets_a_link_that_works_once(hr: Client, signed_in: Door) -> None:
    employ(1)
    one = Employee.objects.get()
    page = hr.get(reverse("company_employee", args=[one.pk])).content.decode()
    assert "not activated" in page
    assert link_in(page) is None
    path = link_in(hr.post(reverse("company_employee_link", args=[one.pk])).content.decode())
    assert path
    assert AuditEvent.objects.filter(
        action="user.link_issued", subject=f"identity.user:{one.user_id}"
    ).exists()
    stranger = signed_in()
    assert stranger.get(path).status_code == 200
    done = stranger.post(path, {"new_password1": "a-long-phrase-7", "new_password2": "a-long-phrase-7"})
    assert done.status_code == 302
    assert signed_in().get(path).status_code == 404
    # Somebody who has a password of their own is out of HR's reach.
    assert "activation link" not in hr.get(reverse("company_employee", args=[one.pk])).content.decode()
    assert hr.post(reverse("company_employee_link", args=[one.pk])).status_code == 404


def test_hr_cannot_make_itself_a_link_to_a_colleague_with_a_role(hr: Client, signed_in: Door) -> None:
    employ(1)
    one = Employee.objects.get()
    admin = an_administrator(signed_in)
    admin.post(reverse("company_person", args=[one.user_id]), {"roles": ["admin"]})
    assert hr.post(reverse("company_employee_link", args=[one.pk])).status_code == 404
    assert hr.post(reverse("company_person_link", args=[one.user_id])).status_code == 403
    assert link_in(admin.post(reverse("company_person_link", args=[one.user_id])).content.decode())


def test_an_administrator_gives_and_takes_roles(signed_in: Door) -> None:
    employ(1)
    user = User.objects.get(username="A001")
    admin = an_administrator(signed_in)
    url = reverse("company_person", args=[user.pk])
    assert admin.post(url, {"roles": ["hr", "finance"]}).status_code == 302
    assert User.objects.get(pk=user.pk).roles == {"employee", "hr", "finance"}
    assert "员工1" in admin.get(reverse("company_people")).content.decode()
    assert admin.post(url, {}).status_code == 302
    assert User.objects.get(pk=user.pk).roles == {"employee"}
    for wrong in ("operator", "platform_admin", "employee", "x"):
        assert admin.post(url, {"roles": [wrong]}).status_code == 422
    assert AuditEvent.objects.filter(action="user.roles").count() == 2


def test_nobody_changes_their_own_access(signed_in: Door) -> None:
    admin = an_administrator(signed_in)
    own = admin.user.pk  # type: ignore[attr-defined]
    assert admin.post(reverse("company_person", args=[own]), {"roles": ["hr"]}).status_code == 403
    assert admin.post(reverse("company_person_access", args=[own])).status_code == 403
    assert admin.post(reverse("company_person_second_factor", args=[own])).status_code == 403
    assert User.objects.get(pk=own).roles == {"admin"}


def test_a_clerks_access_is_closed_and_opened(signed_in: Door) -> None:
    employ(1)
    admin = an_administrator(signed_in)
    clerk = signed_in("finance")
    url = reverse("company_person_access", args=[clerk.user.pk])  # type: ignore[attr-defined]
    assert admin.post(url).status_code == 302
    assert clerk.get(reverse("company_funds")).status_code == 302
    assert admin.post(url).status_code == 302
    assert clerk.get(reverse("company_funds")).status_code == 200
    employee = User.objects.get(username="A001")
    assert admin.post(reverse("company_person_access", args=[employee.pk])).status_code == 404
    assert admin.post(reverse("company_person_second_factor", args=[clerk.user.pk])).status_code == 302  # type: ignore[attr-defined]


def test_a_clerk_is_invited_once(signed_in: Door) -> None:
    admin = an_administrator(signed_in)
    fields = {"name": "Fang", "email": "Fang@Example.com", "roles": ["finance"]}
    done = admin.post(reverse("company_people_invite"), fields)
    clerk = User.objects.get(username="fang@example.com")
    assert done["Location"] == reverse("company_person", args=[clerk.pk])
    assert clerk.roles == {"finance"}
    again = admin.post(reverse("company_people_invite"), fields)
    assert again.status_code == 422
    assert b"here already" in again.content
    assert b"Fang@Example.com" in again.content
    assert admin.post(reverse("company_people_invite"), {"name": "x", "email": "y"}).status_code == 422


def test_the_link_names_the_companys_domain_not_the_requests(hr: Client, acme: Company) -> None:
    employ(1)
    one = Employee.objects.get()
    page = hr.post(
        reverse("company_employee_link", args=[one.pk]), headers={"x-forwarded-host": "evil.example"}
    ).content.decode()
    assert link_in(page)
    assert "evil" not in page
