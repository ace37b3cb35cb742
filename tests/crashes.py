"""A Python process of its own that kills itself at a named point; run again with the same mark, it passes the point."""

import os
import subprocess
import sys
from pathlib import Path

from config.places import BASE


def run_to(
    point: str, mark: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments until it is done or reaches the point (`tenants/crash.py`) for the first time."""
    facts = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MALL_CRASH_AT": point,
        "MALL_CRASH_MARK": str(mark),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=BASE,
        env={**os.environ, **facts, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
