"""Days of the Chinese lunar calendar in the civil one. The calendar itself comes from a maintained library."""

import functools
from datetime import date

from lunar_python import Lunar


@functools.lru_cache(maxsize=4096)
def civil_day(year: int, month: int, day: int) -> date:
    """The civil day of a lunar year's month and day; of a month that comes twice, the first, as festivals are kept."""
    solar = Lunar.fromYmd(year, month, day).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())
