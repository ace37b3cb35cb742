"""What the simulator does wrong, when, and to whom: data that can be changed while it runs.

A fault is decided by the seed, its name and the order it meets, so that a run can be repeated.
"""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# In the order in which they are tried; at most one of a stage meets an order.
SUBMIT = {
    "refuse": "answers with a documented refusal; param: the code (default 1101)",
    "balance_empty": "refuses with 'balance too low', before looking for a repeated number",
    "error_500": "answers 500 before any effect",
    "error_502_html": "answers 502 with an HTML page before any effect",
    "reset_after_read": "reads the request, then resets the connection; nothing is accepted",
    "drop": "reads the request and never answers; nothing is accepted",
    "timeout_after_accept": "accepts and never answers",
    "reset_after_accept": "accepts, then resets the connection",
    "error_500_after_accept": "accepts and answers 500",
    "half_json": "accepts and answers with half a JSON text",
    "empty_200": "accepts and answers 200 with nothing",
    "slow_drip": "accepts and answers a byte at a time",
    "huge_answer": "accepts and answers with megabytes",
    "slow_queue": "accepts silently after param seconds (default 2.6), answers 502 at once",
}
FATE = {
    "fail_later": "accepts, then fails the order",
    "wrong_amount": "delivers and reports ten times the amount",
    "wrong_number": "delivers to another number and reports that",
    "wrong_product": "delivers and reports another product",
    "silence": "accepts and stays in progress for ever",
    "card_empty": "reports success without a card code",
    "card_short": "reports success with too few card codes",
    "card_repeated": "delivers the same card code to two orders",
}
QUERY = {
    "query_500": "answers a query with 500",
    "query_html": "answers a query with an HTML page",
    "query_not_found": "knows nothing of the order for param seconds after acceptance (default 90)",
    "query_flapping": "answers failed and in progress in turns until the order is final",
    "query_unknown_state": "answers with a state that is in no document",
    "forgotten": "forgets the order once it is final",
}
CALLBACK = {
    "callback_lost": "sends no callback",
    "callback_duplicate": "sends every callback three times",
    "callback_early": "is final and calls back before it answers the submission",
    "callback_late": "calls back param seconds later (default 1800)",
    "callback_contradicting": "calls back success, then failed, both signed",
    "callback_failed_first": "calls back failed, then success, both signed",
    "callback_regressing": "calls back success, then in progress",
    "callback_forged": "calls back the opposite of the truth with a wrong signature",
    "callback_unknown_order": "also calls back about an order that does not exist",
    "callback_garbage": "also calls back with a signed body that is not JSON",
}
STAGES: dict[str, Mapping[str, str]] = {"submit": SUBMIT, "fate": FATE, "query": QUERY, "callback": CALLBACK}
KNOWN = {name for stage in STAGES.values() for name in stage}

PROFILES: dict[str, dict[str, float]] = {
    "none": {},
    "duplicates": {"callback_duplicate": 1.0},
    "lying": {
        "refuse": 0.04,
        "error_500": 0.03,
        "error_502_html": 0.03,
        "reset_after_read": 0.03,
        "timeout_after_accept": 0.04,
        "reset_after_accept": 0.04,
        "error_500_after_accept": 0.03,
        "half_json": 0.03,
        "empty_200": 0.02,
        "slow_queue": 0.03,
        "fail_later": 0.06,
        "wrong_amount": 0.02,
        "query_500": 0.06,
        "query_flapping": 0.05,
        "callback_lost": 0.13,
        "callback_duplicate": 0.08,
        "callback_regressing": 0.06,
        "callback_failed_first": 0.04,
        "callback_forged": 0.04,
        "callback_early": 0.05,
    },
}


class BadFaults(ValueError):
    """A fault profile that cannot be read; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds and rules of the simulated supplier."""

    answer_after: float = 0.0
    settle_after: float = 1.0
    hang: float = 60.0
    drip: float = 0.5
    honours_reference: bool = True  # a repeated number is refused; else it is a second order
    retries: int = 6  # of a callback that is not acknowledged
    retry_after: float = 5.0


@dataclass(slots=True)
class Faults:
    """The faults now in force. `targets` names an order by the end of its account, reference or product:
    a name for always, or a list whose n-th entry meets the n-th submission."""

    rates: dict[str, float] = field(default_factory=dict)
    params: dict[str, float] = field(default_factory=dict)
    targets: dict[str, list[str] | str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    seed: int = 1
    fired: Counter[str] = field(default_factory=Counter)

    def pick(self, stage: str, *, reference: str, account: str, product: str, nth: int = 1) -> str:
        """Return the fault of a stage that meets an order at its n-th meeting, or the empty text."""
        names = STAGES[stage]
        for ending, scripted in self.targets.items():
            if any(value.endswith(ending) for value in (account, reference, product) if value):
                entry = scripted if isinstance(scripted, str) else (*scripted, *[""] * nth)[nth - 1]
                for part in entry.split("+"):
                    name = part.partition(":")[0]
                    if name in names:
                        self.fired[name] += 1
                        return part
                if entry:
                    return ""
        for name in names:
            if rate := self.rates.get(name, 0.0):
                # Faults of an order are the same at every query; each submission is a new throw.
                dice = random.Random(f"{self.seed}:{name}:{reference}:{nth}")
                if dice.random() < rate:
                    self.fired[name] += 1
                    return name
        return ""

    def param(self, fault: str, default: float) -> float:
        """Return the number that goes with a fault: from `name:number`, the params, or the default."""
        name, _, number = fault.partition(":")
        return float(number) if number else self.params.get(name, default)

    def as_dict(self) -> dict[str, Any]:
        """Return what is in force, in the form that `parse` reads, with how often each fault fired."""
        settings = {name: getattr(self.settings, name) for name in Settings.__slots__}
        return {
            "rates": self.rates,
            "params": self.params,
            "targets": self.targets,
            "settings": settings,
            "seed": self.seed,
            "fired": dict(self.fired),
        }


DEMO_TARGETS: dict[str, list[str] | str] = {"0000": "fail_later"}


def parse(profile: str, *, seed: int = 1) -> Faults:
    """Read a profile from the command line: a name, `fault[=rate],…`, or a JSON object. Raises BadFaults."""
    if profile.lstrip().startswith("{"):
        try:
            values = json.loads(profile)
        except ValueError as error:
            raise BadFaults(f"the fault profile is not JSON: {error}") from None
        return from_dict(values, seed=seed)
    rates: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in profile.split(","))):
        name, _, rate = part.partition("=")
        rates |= PROFILES[name] if name in PROFILES else {name: _number(name, rate or "1")}
    return from_dict({"rates": rates}, seed=seed)


def from_dict(values: Mapping[str, Any], *, seed: int = 1) -> Faults:
    """Read faults from a JSON object; what is not named gets its default. Raises BadFaults."""
    if not isinstance(values, Mapping) or (
        strange := set(values) - {"rates", "params", "targets", "settings", "seed"}
    ):
        raise BadFaults(
            f"unknown keys: {', '.join(sorted(strange)) if isinstance(values, Mapping) else 'not an object'}"
        )
    rates = {name: _number(name, rate) for name, rate in values.get("rates", {}).items()}
    params = {name: _number(name, number) for name, number in values.get("params", {}).items()}
    targets = dict(values.get("targets", DEMO_TARGETS))
    scripted = [
        entry for target in targets.values() for entry in ([target] if isinstance(target, str) else target)
    ]
    used = {part.partition(":")[0] for entry in scripted for part in entry.split("+") if part}
    if unknown := sorted((set(rates) | set(params) | used) - KNOWN):
        raise BadFaults(f"no such fault: {', '.join(unknown)}; there are {', '.join(sorted(KNOWN))}")
    try:
        settings = Settings(**values.get("settings", {}))
    except TypeError as error:
        raise BadFaults(f"settings: {error}") from None
    return Faults(
        rates=rates, params=params, targets=targets, settings=settings, seed=values.get("seed", seed)
    )


def names() -> Sequence[str]:
    """List every fault with its meaning, for the help text."""
    return [f"{name}: {meaning}" for stage in STAGES.values() for name, meaning in stage.items()]


def _number(name: str, value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise BadFaults(f"{name}: {value!r} is not a number") from None
