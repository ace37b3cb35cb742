"""The cache: keyed by company, and forgiving. It holds nothing that cannot be read again, so its loss costs time only."""

import logging
from collections.abc import Callable
from typing import Any

import redis.exceptions
from django.core.cache.backends.redis import RedisCache

logger = logging.getLogger(__name__)


class Cache(RedisCache):
    """Django's Redis cache that answers as an empty one while the server is away."""

    def _forgive(self, call: Callable[..., Any], missing: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except redis.exceptions.ConnectionError:
            logger.warning("the cache does not answer")
            return missing

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._forgive(super().get, default, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._forgive(super().set, None, *args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgive(super().add, True, *args, **kwargs))

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgive(super().delete, False, *args, **kwargs))

    def get_many(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return dict(self._forgive(super().get_many, {}, *args, **kwargs))

    def set_many(self, *args: Any, **kwargs: Any) -> list[str]:
        return list(self._forgive(super().set_many, [], *args, **kwargs))

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgive(super().has_key, False, *args, **kwargs))

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._forgive(super().touch, False, *args, **kwargs))

    def delete_many(self, *args: Any, **kwargs: Any) -> None:
        self._forgive(super().delete_many, None, *args, **kwargs)
