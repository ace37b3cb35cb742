"""Days of the Chinese lunar calendar in the civil one. The calendar itself comes from a maintained library."""

import functools
from datetime import date

from borax.calendars.lunardate import LunarDate


@functools.lru_cache(maxsize=4096)
def civil_day(year: int, month: int, day: int) -> date:
    """The civil day of a lunar year's month and day; of a month that comes twice, the first, as festivals are kept."""
    found: date = LunarDate(year, month, day).to_solar_date()
    return found
