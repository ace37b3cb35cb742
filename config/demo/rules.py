"""What HR sets up once for the year: points at birthdays, for years of service and for the Mid-Autumn Festival."""

from django.utils import timezone

from benefits.campaigns import operations as campaigns
from benefits.campaigns import queries as rules
from benefits.campaigns.definition import Amount, Audience, Definition, Expiry, Occasion
from benefits.campaigns.errors import RuleNotFound
from benefits.points.models import Budget
from tenants.identity.models import User

_EVERYONE = Audience(everyone=True)
_HALF_A_YEAR = Expiry("months", months=6)
RULES = {
    "生日福利": Definition(_EVERYONE, Occasion("birthday"), Amount(fen=20_000), _HALF_A_YEAR),
    "司龄纪念": Definition(
        _EVERYONE,
        Occasion("anniversary", years=(1, 3, 5, 10)),
        Amount(fen=10_000, by_years={1: 10_000, 3: 30_000, 5: 50_000, 10: 100_000}),
        _HALF_A_YEAR,
    ),
    "中秋福利": Definition(
        _EVERYONE,
        Occasion("festival", festival="mid_autumn", days_before=7),
        Amount(fen=20_000),
        _HALF_A_YEAR,
    ),
}


def set_rules(*, budget: Budget, hr: User) -> int:
    """Make and activate the rules that are not there yet; returns how many there are."""
    for name, definition in RULES.items():
        try:
            rules.find_rule(name)
        except RuleNotFound:
            made = campaigns.make_rule(
                name=name, budget=budget, definition=definition, actor=hr, at=timezone.now()
            )
            campaigns.activate_rule(rule=made, actor=hr, at=timezone.now())
    return len(RULES)
