"""HTML on standard input, a PDF on standard output: run as a process of its own, with limits and without any access.

Run as `python -I renderer.py`; it imports nothing of the project. Exit codes tell the parent what was missing.
"""

import json
import resource
import sys
from collections.abc import Iterator
from typing import Any

LIBRARY_MISSING, FONT_MISSING, FETCH_REFUSED, CANNOT_RENDER = 3, 4, 5, 6
FONT = "Noto-Sans-CJK-SC"
MEMORY_BYTES = 1_500 * 1024 * 1024
CPU_SECONDS = 25
FILE_BYTES = 1024 * 1024


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    job = json.load(sys.stdin.buffer)
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as missing:
        return _tell(LIBRARY_MISSING, missing)

    refused: list[str] = []

    class Refuse(URLFetcher):
        """The page is complete in itself: whatever it asks for was put there by someone else."""

        def fetch(self, url: str, headers: object = None) -> object:
            refused.append(url[:200])
            raise ValueError("refused")

    fonts: set[str] = set()
    try:
        fetcher = Refuse()
        page = weasyprint.HTML(string=job["html"], base_url=None, url_fetcher=fetcher)
        pdf = page.write_pdf(
            stylesheets=[weasyprint.CSS(string=job["css"], url_fetcher=fetcher)],
            finisher=lambda _, file: fonts.update(_font_names(file)),
        )
    except Exception as failure:  # hostile pages make the library fail in many ways
        return _tell(FETCH_REFUSED, refused) if refused else _tell(CANNOT_RENDER, failure)
    if refused:
        return _tell(FETCH_REFUSED, refused)
    if not any(FONT in font for font in fonts):
        return _tell(FONT_MISSING, FONT)
    sys.stdout.buffer.write(pdf)
    return 0


def _font_names(file: Any) -> Iterator[str]:
    for item in file.objects:
        if isinstance(item, dict) and "BaseFont" in item:
            yield str(item["BaseFont"])


def _tell(code: int, why: object) -> int:
    print(f"{type(why).__name__}: {str(why)[:300]}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
