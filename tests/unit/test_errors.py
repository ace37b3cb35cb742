"""docs/errors.md and the errors that the code can give are the same list."""

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import benefits
import cms
import reports
import tenants
from tenants.errors import DomainError

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
_ROW = re.compile(r"^\| `(\w+)` \| (\d{3}) \| (.+) \| (.*) \|$", re.M)


def _all(base: type[DomainError]) -> Iterator[type[DomainError]]:
    for one in base.__subclasses__():
        yield one
        yield from _all(one)


def in_code() -> list[type[DomainError]]:
    """Every error of the product with a code of its own."""
    for package in (benefits, cms, reports, tenants):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not {"migrations", "__main__"} & set(module.name.split(".")):
                importlib.import_module(module.name)
    return [
        one
        for one in set(_all(DomainError))
        if "code" in vars(one) and not one.__module__.startswith("tests.")
    ]


def test_every_code_is_used_once() -> None:
    repeated = [code for code, number in Counter(one.code for one in in_code()).items() if number > 1]
    assert repeated == []


def test_the_document_names_every_error_with_its_status_and_details() -> None:
    documented = {
        code: (int(status), details) for code, status, _, details in _ROW.findall(DOCUMENT.read_text())
    }
    wanted = {one.code: (one.status, _details(one)) for one in in_code()}
    assert documented == wanted


def test_codes_are_written_in_snake_case() -> None:
    assert [one.code for one in in_code() if not re.fullmatch(r"[a-z][a-z0-9_]+", one.code)] == []


def _details(error: type[DomainError]) -> str:
    """The names of an error's facts as the document writes them."""
    message = re.sub(r"_yuan\b", "_fen", str(error.message))  # what a fact in fen is told as
    return ", ".join(f"`{name}`" for name in sorted(set(re.findall(r"%\((\w+)\)", message)))) or "–"


def rows() -> str:
    """The table's rows as they ought to stand."""
    return "\n".join(
        f"| `{one.code}` | {one.status} | {inspect.getdoc(one).splitlines()[0]} | {_details(one)} |"
        for one in sorted(in_code(), key=lambda one: (one.status, one.code))
    )
