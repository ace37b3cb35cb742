"""Every dialect the mall speaks: one line an adapter."""

from collections.abc import Callable

import aiohttp

from .adapters import goofish
from .base import Config, ConfigError, Supplier

ADAPTERS: dict[str, Callable[[Config, aiohttp.ClientSession | None], Supplier]] = {
    "goofish": goofish.Goofish,
}


def connect(config: Config, session: aiohttp.ClientSession | None = None) -> Supplier:
    """Return the adapter for a supplier. Without a session it reads callbacks only. Raises ConfigError."""
    try:
        adapter = ADAPTERS[config.dialect]
    except KeyError:
        known = ", ".join(sorted(ADAPTERS))
        raise ConfigError(f"{config.code}: no dialect {config.dialect!r}; there are {known}.") from None
    return adapter(config, session)
