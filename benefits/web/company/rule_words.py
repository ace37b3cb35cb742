"""A rule's definition in words: whole sentences with named values, so that each language can order them as it must."""

from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from benefits.campaigns.definition import Amount, Audience, Definition, Expiry, Occasion
from benefits.web.company import shown
from benefits.web.company.rule_parts import FESTIVALS
from benefits.web.company.shown import Amounts

FESTIVAL_NAMES = dict(FESTIVALS)
Line = tuple[str, str]  # what it is about, what is so


def lines(definition: Definition, show: Amounts) -> list[Line]:
    """The whole definition as facts: who, when, how much, until when."""
    return [
        *audience(definition.audience),
        (pgettext("rule", "When"), occasion(definition.occasion)),
        *amount(definition.amount, show),
        (_("Points expire"), expiry(definition.expiry)),
    ]


def audience(who: Audience) -> list[Line]:
    """Whom a rule reaches; several conditions are several facts that must all hold."""
    label = pgettext("grant", "To")
    if who.numbers:
        count = len(who.numbers)
        said = ngettext(
            "a list of %(count)d employee number", "a list of %(count)d employee numbers", count
        ) % {"count": count}
        return [(label, said)]
    if who.everyone:
        return [(label, _("everyone on the roster"))]
    found: list[Line] = []
    if who.departments:
        found.append((_("Departments"), shown.joined(who.departments)))
    if who.grades:
        found.append((_("Grades"), shown.joined(who.grades)))
    if who.cities:
        found.append((_("Cities"), shown.joined(who.cities)))
    if who.months_from is not None or who.months_to is not None:
        found.append((_("Seniority"), _seniority(who.months_from, who.months_to)))
    if who.stage:
        found.append((_("Probation"), _("on probation") if who.stage == "probation" else _("past probation")))
    return found


def audience_in_short(who: Audience) -> str:
    """Whom a rule reaches, in one cell of a table."""
    found = audience(who)
    if len(found) == 1:
        return found[0][1]
    return _("who fits all of: %(conditions)s") % {
        "conditions": shown.joined(words for _label, words in found)
    }


def _seniority(least: int | None, most: int | None) -> str:
    if most is None:
        return ngettext("%(months)d month or more", "%(months)d months or more", least or 0) % {
            "months": least or 0
        }
    if not least:
        return ngettext("%(months)d month at most", "%(months)d months at most", most) % {"months": most}
    return _("%(least)d to %(most)d months") % {"least": least, "most": most}


def occasion(when: Occasion) -> str:
    """On which occasion a rule gives, as one sentence."""
    return _OCCASIONS[when.kind](when)


def _once(when: Occasion) -> str:
    return _("once, when it is handed out")


def _monthly(when: Occasion) -> str:
    if when.months:
        return _("on day %(day)d of these months: %(months)s") % {
            "day": when.day,
            "months": shown.joined(month_name(month) for month in when.months),
        }
    return _("on day %(day)d of every month") % {"day": when.day}


def _birthday(when: Occasion) -> str:
    return _before(when.days_before) or _("on the birthday")


def _before(days: int) -> str:
    return (
        ngettext("%(days)d day before the birthday", "%(days)d days before the birthday", days)
        % {"days": days}
        if days
        else ""
    )


def _anniversary(when: Occasion) -> str:
    facts = {"days": when.days_before, "years": shown.joined(when.years)}
    if when.years and when.days_before:
        return (
            ngettext(
                "%(days)d day before the work anniversary, after years %(years)s",
                "%(days)d days before the work anniversary, after years %(years)s",
                when.days_before,
            )
            % facts
        )
    if when.years:
        return _("on the work anniversary, after years %(years)s") % facts
    if when.days_before:
        return (
            ngettext(
                "%(days)d day before every work anniversary",
                "%(days)d days before every work anniversary",
                when.days_before,
            )
            % facts
        )
    return _("on every work anniversary")


def _joining(when: Occasion) -> str:
    return _("on the day of joining")


def _regular(when: Occasion) -> str:
    return _("on the day on which probation is passed")


def _festival(when: Occasion) -> str:
    name = FESTIVAL_NAMES.get(when.festival, when.festival)
    if when.days_before:
        return ngettext(
            "%(days)d day before %(festival)s, every year",
            "%(days)d days before %(festival)s, every year",
            when.days_before,
        ) % {"days": when.days_before, "festival": name}
    return _("on %(festival)s, every year") % {"festival": name}


_OCCASIONS: dict[str, Any] = {
    "once": _once,
    "monthly": _monthly,
    "birthday": _birthday,
    "anniversary": _anniversary,
    "joining": _joining,
    "regular": _regular,
    "festival": _festival,
}


def month_name(month: int) -> str:
    """A month by its name."""
    return date_format(date(2026, month, 1), "F")


def amount(much: Amount, show: Amounts) -> list[Line]:
    """How much each gets, as facts."""
    label = pgettext("rule", "How much")
    found: list[Line] = []
    for grade, fen in much.by_grade.items():
        found.append((_("Grade %(grade)s") % {"grade": grade}, show.with_unit(fen)))
    for years, fen in sorted(much.by_years.items()):
        found.append(
            (
                ngettext("From %(years)d year on", "From %(years)d years on", years) % {"years": years},
                show.with_unit(fen),
            )
        )
    if much.fen:
        everyone = _("All others") if found else label
        found.append((everyone, show.with_unit(much.fen)))
    if much.prorate:
        found.append((_("Joined within the month"), _("the share of the month’s remaining days")))
    return found or [(label, _("as the list says"))]


def expiry(until: Expiry) -> str:
    """Until when the points are valid."""
    if until.kind == "date" and until.day:
        return _("after %(day)s") % {"day": until.day.isoformat()}
    if until.kind == "days":
        return ngettext(
            "%(days)d day after they are given", "%(days)d days after they are given", until.days
        ) % {"days": until.days}
    if until.kind == "months":
        return ngettext(
            "%(months)d month after they are given",
            "%(months)d months after they are given",
            until.months,
        ) % {"months": until.months}
    return pgettext("expiry", "never")
