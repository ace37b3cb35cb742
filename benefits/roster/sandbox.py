"""Read a roster in a throw-away process with hard limits; whatever happens in there, an answer comes back.

The child imports no Django, gets no secrets in its environment and writes plain tuples. Preview and
apply both read through here, so that there is one parser and one opinion.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .check import person_of
from .shapes import Checked, Choices, Column, Issue, Note, Params, SheetFound

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from benefits.roster import child; child.main()"


@dataclass(frozen=True)
class Allowance:
    """What one reading may use. 100,000 rows of ten columns take about 4 CPU seconds and 250 MB."""

    memory_bytes: int = 1 << 30
    cpu_seconds: int = 20
    wall_seconds: int = 60


ALLOWANCE = Allowance()


def check_file(
    path: str | Path,
    choices: Choices = Choices(),
    *,
    allowance: Allowance = ALLOWANCE,
    told: Callable[[bytes], object] = bool,
) -> Checked:
    """The fate of every row of a roster file, read as people chose. Never raises for what is in the file.

    `told` hears the answer as it came; kept, it makes the same Checked again by `checked_of`.
    """
    answer = _answer("check", [str(path)], allowance, json.dumps(choices.as_json()).encode())
    told(answer)
    return checked_of(answer)


def checked_of(answer: bytes) -> Checked:
    """The Checked that an answer stands for; a rejected one for what is no answer."""
    return _checked(_load(answer))


def annotate_file(
    path: Path, target: Path, marks: list[dict[str, Any]], sheet: str, allowance: Allowance
) -> bool:
    """Write the user's own workbook with problem cells marked; False where that proved too much."""
    answer = _run("annotate", [str(path), str(target), sheet], allowance, json.dumps(marks).encode())
    return isinstance(answer, tuple) and answer[:1] == ("annotated",)


def excerpt_of_file(
    path: Path, choices: Choices, rows: list[int], allowance: Allowance = ALLOWANCE
) -> tuple[list[tuple[str, str | None]], list[tuple[int, list[Any]]]]:
    """(heading, field) of every column, and (row, cells) of some rows; nothing of a file that cannot be read."""
    wanted = json.dumps({"choices": choices.as_json(), "rows": rows}).encode()
    answer = _run("excerpt", [str(path)], allowance, wanted)
    return (answer[1], answer[2]) if answer[0] == "excerpt" else ([], [])


def list_file(path: str | Path, allowance: Allowance = ALLOWANCE) -> tuple[list[Any], list[Any]] | Checked:
    """The (row, employee number, points) and (row, field, code) of a list; a rejected Checked for an unusable file."""
    answer = _run("list", [str(path)], allowance)
    return (answer[1], answer[2]) if answer[0] == "listed" else _checked(answer)


def _run(what: str, arguments: list[str], allowance: Allowance, data: bytes = b"") -> Any:
    return _load(_answer(what, arguments, allowance, data))


def _answer(what: str, arguments: list[str], allowance: Allowance, data: bytes = b"") -> bytes:
    """What the child wrote, or a rejection like its own."""
    limits = f"{allowance.memory_bytes},{allowance.cpu_seconds}"
    command = [sys.executable, "-I", "-c", _PROGRAM, str(_ROOT), what, limits, *arguments]
    try:
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=allowance.wall_seconds,
            env={"LANG": "C.UTF-8", "PATH": os.defpath},
            cwd="/",
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return pickle.dumps(("rejected", "too_large", "time", {}))
    if done.returncode != 0 or not done.stdout:
        return pickle.dumps(_died(done.returncode, done.stderr))
    return done.stdout


def _died(returncode: int, stderr: bytes) -> tuple[str, str, str, Params]:
    """A child that died was killed by a limit, or by a file that its parser could not bear."""
    killed = {-signal.SIGKILL, -signal.SIGXCPU, -signal.SIGABRT}
    if returncode in killed or b"MemoryError" in stderr or b"memory allocation" in stderr:
        return ("rejected", "too_large", "resources", {})
    return ("rejected", "corrupt", "reader", {})


class _PlainUnpickler(pickle.Unpickler):
    """Tuples, texts, numbers, days. A child that was taken over by a file can send nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in {("datetime", "date"), ("decimal", "Decimal")}:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name}")


def _load(data: bytes) -> Any:
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except Exception:  # whatever a broken answer does to the unpickler, the file is not usable
        return ("rejected", "corrupt", "reader", {})


_SHAPES: dict[str, type[Any]] = {
    "issues": Issue,
    "notes": Note,
    "sheets": SheetFound,
    "offered": Column,
}


def _checked(answer: Any) -> Checked:
    if answer[0] == "rejected":
        _, code, reason, params = answer
        return Checked(outcome="rejected", reject_code=code, reject_reason=reason, reject_params=params)
    found = answer[1]
    shaped = {name: tuple(map(shape._make, found[name])) for name, shape in _SHAPES.items()}
    people = {name: tuple(map(person_of, zip(*found[name], strict=True))) for name in ("employees", "held")}
    return Checked(**{**found, **shaped, **people})
