"""Every audit event that the code writes has words for people."""

import re
from pathlib import Path

from benefits.web import events
from config.places import BASE

_RECORDED = re.compile(r"audit\.record\(\s*\"([a-z_.]+)\"")


def test_every_action_has_words() -> None:
    codes = {
        code
        for room in ("benefits", "cms", "reports", "tenants")
        for path in Path(BASE / room).rglob("*.py")
        for code in _RECORDED.findall(path.read_text())
    }
    assert len(codes) > 30
    assert codes - events.ACTIONS.keys() == set()
