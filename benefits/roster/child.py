"""The other side of the sandbox: takes its limits first, then reads one file and writes one answer."""

from __future__ import annotations

import gc
import os
import pickle
import resource
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Run one job: `check FILE`, `list FILE`, `excerpt FILE` or `annotate FILE TARGET SHEET`.

    The first argument after the job are its limits, `memory,cpu`.
    """
    what, limits, *arguments = sys.argv[1:]
    memory, cpu = map(int, limits.split(","))
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CPU, cpu)
    _limit(resource.RLIMIT_CORE, 0)
    gc.disable()  # one job, nothing cyclic, and the process ends with it
    try:
        answer = {"check": _check, "list": _list, "excerpt": _excerpt, "annotate": _annotate}[what](arguments)
    except MemoryError:
        answer = ("rejected", "too_large", "resources", {})
    except BaseException as error:  # parsers panic with what is not even an Exception
        print(type(error).__name__, file=sys.stderr)
        answer = ("rejected", "corrupt", "reader", {})
    sys.stdout.buffer.write(pickle.dumps(answer, protocol=5))
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing is left to do, and freeing a million cells one by one takes its time


# Of Checked: what crosses as it is, and the lists of named tuples that cross as plain ones.
_AS_THEY_ARE = (
    "outcome",
    "reject_code",
    "reject_reason",
    "reject_params",
    "kind",
    "sheet",
    "header_row",
    "columns",
    "texts",
)
_PEOPLE = ("employees", "held")
_TUPLES = ("issues", "notes", "sheets", "offered")


def _limit(what: int, amount: int) -> None:
    hard = resource.getrlimit(what)[1]
    amount = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
    try:
        resource.setrlimit(what, (amount, hard))
    except (ValueError, OSError):  # a system without this limit still has the wall clock
        return


def _check(arguments: list[str]) -> tuple[Any, ...]:
    import json

    from . import pipeline
    from .shapes import Choices

    found = pipeline.checked(Path(arguments[0]), Choices.from_json(json.load(sys.stdin)))
    plain = {name: getattr(found, name) for name in _AS_THEY_ARE}
    lists = {name: list(map(tuple, getattr(found, name))) for name in _TUPLES}
    # People cross as columns: fewer objects, and each day and department but once.
    people = {name: list(map(list, zip(*getattr(found, name), strict=True))) for name in _PEOPLE}
    return ("checked", plain | lists | people)


def _list(arguments: list[str]) -> tuple[Any, ...]:
    from . import listing
    from .shapes import Rejected

    try:
        amounts, faults = listing.of_file(Path(arguments[0]))
    except Rejected as rejected:
        return ("rejected", rejected.code, rejected.reason, rejected.params)
    return ("listed", amounts, faults)


def _excerpt(arguments: list[str]) -> tuple[Any, ...]:
    import json

    from . import excerpt
    from .shapes import Choices, Rejected

    wanted = json.load(sys.stdin)
    try:
        return (
            "excerpt",
            *excerpt.of_file(Path(arguments[0]), Choices.from_json(wanted["choices"]), set(wanted["rows"])),
        )
    except Rejected as rejected:
        return ("rejected", rejected.code, rejected.reason, rejected.params)


def _annotate(arguments: list[str]) -> tuple[Any, ...]:
    import json

    from . import annotate

    path, target, sheet = arguments
    annotate.write(Path(path), Path(target), json.load(sys.stdin), sheet)
    return ("annotated",)
