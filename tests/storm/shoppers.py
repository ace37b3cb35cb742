"""Employees who redeem at the portal: whatever fails is sent again under the same key, as a careful client does."""

import http.client
import random
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from config.demo.visitor import Page, PageError, Visitor
from tests.people import PASSWORD
from tests.storm.stage import Person

WISHES = (
    ("mobile-top-up", "topup-mobile-50", True),
    ("mobile-top-up", "topup-mobile-30", True),
    ("tencent-video", "tencent-video-month", True),
    ("jd-card", "jd-100", False),
    ("coffee", "coffee-cup", False),
    ("commuter", "bundle-commuter", True),
)
STUBBORN_SECONDS = 90
TWICE = 0.1  # the share of orders that are sent once more although they were acknowledged


@dataclass
class Journal:
    """What the employees know. A key is noted before it is sent, a number when its page came back."""

    planned: set[UUID] = field(default_factory=set)
    acknowledged: dict[UUID, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    sent_twice: int = 0


def shop(
    person: Person, *, port: int, journal: Journal, dice: random.Random, stop: threading.Event, pause: float
) -> None:
    """Redeem one thing after another, up to `pause` seconds apart, until told to stop."""
    visitor = Visitor("acme.localhost", port)
    while not stop.is_set():
        product, sku, to_mobile = dice.choice(WISHES)
        key = UUID(int=dice.getrandbits(128), version=4)
        journal.planned.add(key)
        account = person.mobile if to_mobile else ""
        number = _insist(visitor, person, product, sku, account, key, journal)
        if number:
            journal.acknowledged[key] = number
        if number and dice.random() < TWICE:
            journal.sent_twice += 1
            again = _insist(visitor, person, product, sku, account, key, journal)
            if again not in ("", number):
                journal.wrong.append(f"key {key} brought order {number} and then {again}")
        stop.wait(dice.uniform(0, pause))


def _insist(
    visitor: Visitor, person: Person, product: str, sku: str, account: str, key: UUID, journal: Journal
) -> str:
    deadline = time.monotonic() + STUBBORN_SECONDS
    while time.monotonic() < deadline:
        try:
            if number := _redeem(visitor, person, product, sku, account, key):
                return number
            journal.troubles["not offered"] += 1
        except (PageError, OSError, http.client.HTTPException) as error:
            journal.troubles[_kind(error)] += 1
        time.sleep(0.5)
    journal.troubles["given up"] += 1
    return ""


def _redeem(visitor: Visitor, person: Person, product: str, sku: str, account: str, key: UUID) -> str:
    path = f"/benefits/{product}/"
    page = visitor.get(path)
    if page.path.startswith("/accounts/login"):
        visitor.sign_in(person.number, PASSWORD)
        page = visitor.get(path)
    price = re.search(rf'value="{re.escape(sku)}:(\d+)"', page.text)
    if price is None:
        return ""
    fields = {"choice": f"{sku}:{price[1]}", "account": account, "request_key": str(key)}
    return _number(visitor.post(f"{path}confirm/", fields, page=page))


def _number(page: Page) -> str:
    found = re.fullmatch(r"/orders/(\d+)/", page.path)
    return found[1] if found else ""


def _kind(error: Exception) -> str:
    answered = re.search(r"answered (\d+)", str(error))
    return answered[1] if answered else type(error.__cause__ or error).__name__
