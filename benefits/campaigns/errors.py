"""What can go wrong with rules and their rehearsals."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Invalid, NotFound

# What a field of a rule can be refused for; the sentence says what to do.
PROBLEMS: Mapping[str, Any] = {
    "shape": _("This is not read: it is not of the expected form."),
    "unknown": _("There is no such field or choice. Take one of those that are offered."),
    "missing": _("This is needed here. Fill it in."),
    "excess": _("This does not go with the rest. Leave it empty."),
    "not_whole": _("This is not a whole number within the limits. Correct it."),
    "order": _("The end lies before the beginning. Correct one of them."),
    "repeated": _("The same value is here more than once. Keep one."),
    "amount": _("This is not an amount that a person may get at once. Correct it."),
    "day": _("This is not a day. Write it like 2027-02-06."),
    "audience": _("Say who it is for: everyone, or at least one condition."),
}


class InvalidRule(Invalid):
    """A field of a rule's definition does not hold what it must; `field` is its path, `problem` a sentence."""

    code = "invalid_rule"
    message = _("The rule's field “%(field)s” must be corrected. %(problem)s")

    def __init__(self, *, field: str, problem: str) -> None:
        super().__init__(field=field, problem=PROBLEMS[problem])
        self.field, self.problem = field, problem


class RuleNotFound(NotFound):
    """No rule has this name or number."""

    code = "rule_not_found"
    message = _("There is no rule “%(name)s”.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class RuleExists(Conflict):
    """A rule of this name is there already."""

    code = "rule_exists"
    message = _("There is already a rule “%(name)s”. Choose another name.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class RuleNotActive(Conflict):
    """A rule gives nothing while it is a draft, paused or ended."""

    code = "rule_not_active"
    message = _("The rule “%(name)s” is not active, so nothing was granted. Activate it first.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class RuleChanged(Conflict):
    """The rule was revised since it was looked at."""

    code = "rule_changed"
    message = _("The rule “%(name)s” was changed in the meantime. Look at it again.")

    def __init__(self, *, name: str) -> None:
        super().__init__(name=name)


class RehearsalStale(Conflict):
    """The same rehearsal made now has another result: the rule, the roster or what was given has changed."""

    code = "rehearsal_stale"
    message = _(
        "The roster or the rule has changed since this was rehearsed, so nothing was granted. Rehearse it again."
    )


class RehearsalEmpty(Conflict):
    """Nobody gets anything by this rehearsal."""

    code = "rehearsal_empty"
    message = _("By this rehearsal nobody gets anything, so there is nothing to grant.")


class DayNotCommitted(Conflict):
    """Only today's rehearsal can be carried out, or that of a day shortly before."""

    code = "day_not_committed"
    message = _(
        "What was rehearsed for %(day)s cannot be granted today: only today, or up to %(days)s days afterwards."
    )

    def __init__(self, *, day: date, days: int) -> None:
        super().__init__(day=day, days=days)
