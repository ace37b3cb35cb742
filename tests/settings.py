"""config.settings, read from an environment that points at this run's own databases."""

import os

from tests import environment

environment.point()
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"  # what processes that a test starts shall use

from config.settings import *  # noqa: E402, F403

STATIC_ROOT = None  # files are found where they lie; nobody collects them for a test

# A test's rows are gone after it; nothing waits for a disk. The processes that tests start do wait.
DATABASES["default"]["OPTIONS"]["options"] = "-c synchronous_commit=off"  # noqa: F405
