"""config.settings, read from an environment that points at this run's own databases."""

from tests import environment

environment.point()

from config.settings import *  # noqa: E402, F403
