"""Amounts and times as pages say them: `{% load mall %}`. Fen come in, words go out; nothing is computed here."""

from datetime import date, datetime
from typing import Any

from django import template
from django.template import Context
from django.utils import timezone, translation
from django.utils.dateformat import format as dateformat
from django.utils.translation import gettext as _

from benefits import mobile, money

register = template.Library()


@register.simple_tag(takes_context=True)
def points(context: Context, fen: int | None) -> str:
    """Fen as the company's points: {% points order.price_fen %}; at one point a yuan where there is no company."""
    return money.points(fen or 0, getattr(context.get("company"), "points_per_yuan", 1))


@register.simple_tag(takes_context=True)
def points_name(context: Context) -> str:
    """What the company calls its points."""
    return getattr(context.get("company"), "points_name", "") or _("points")


@register.filter
def yuan(fen: int | None) -> str:
    """1234567 → 12,345.67"""
    return money.yuan_grouped(fen or 0)


@register.filter
def masked(number: str) -> str:
    """138 **** 8000"""
    return mobile.masked(number)


@register.filter
def grouped(number: str) -> str:
    """138 0013 8000"""
    return mobile.grouped(number)


def _chinese() -> bool:
    return not (translation.get_language() or "").startswith("en")


def _local(value: Any) -> Any:
    return value.astimezone(timezone.get_current_timezone()) if isinstance(value, datetime) else value


@register.filter
def day(value: date | datetime | None) -> str:
    """2026年11月24日 or 24 Nov 2026."""
    return dateformat(_local(value), "Y年n月j日" if _chinese() else "j M Y") if value else ""


@register.filter
def short_day(value: date | datetime | None) -> str:
    """11月24日 or 24 Nov, with the year where it is another one."""
    if not value:
        return ""
    local = _local(value)
    if local.year != timezone.localdate().year:
        return day(value)
    return dateformat(local, "n月j日" if _chinese() else "j M")


@register.filter
def moment(value: datetime | None) -> str:
    """11月24日 14:02 or 24 Nov 14:02, with the year where it is another one."""
    return f"{short_day(value)} {dateformat(_local(value), 'H:i')}" if value else ""


@register.filter
def exact_moment(value: datetime | None) -> str:
    """11月24日 14:02:11 or 24 Nov 14:02:11."""
    return f"{short_day(value)} {dateformat(_local(value), 'H:i:s')}" if value else ""
