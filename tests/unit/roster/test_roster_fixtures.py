"""Every roster of the collection is read as its expectation says."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from benefits.roster import answers, sandbox

ROSTERS = Path(os.environ.get("ROSTERS_DIR") or Path(__file__).parents[2] / "fixtures" / "rosters")
EXPECTED = sorted(ROSTERS.glob("*.expected.json"))
ROW_CODES = {"identical_duplicate", "conflicting_row"}  # their field is not compared
REMARKS = {
    "hidden_row", "formula_like_text", "unsafe_text", "other_sheet_ignored", "skipped_row", "no_data_rows",
}  # fmt: skip


@pytest.mark.parametrize("expectation", EXPECTED, ids=lambda path: path.name.split(".")[0])
def test_reads_as_expected(expectation: Path) -> None:
    expected = json.loads(expectation.read_text(encoding="utf-8"))

    found = answers.to_json(sandbox.check_file(ROSTERS / expected["file"]), file=expected["file"])

    assert list(_differences(expected, json.loads(json.dumps(found)))) == []


def test_there_are_rosters() -> None:
    assert len(EXPECTED) >= 16


def _differences(expected: dict[str, Any], found: dict[str, Any]) -> Any:
    for also_right in expected["tolerated"]:
        if "outcome" in also_right and also_right["reject_code"] == found["reject_code"]:
            return
    for key in ("outcome", "reject_code", "sheet", "header_row"):
        if found[key] != expected[key]:
            yield key, found[key], expected[key]
    for field, letters in expected["columns"].items():
        if found["columns"].get(field) != letters:
            yield "column", field, found["columns"].get(field)
    unchecked = {row["row"] for row in expected["tolerated"] if "row" in row and "code" not in row}
    yield from _people(expected["employees"], found["employees"], unchecked)
    wanted, issues = _issues(expected["issues"], unchecked), _issues(found["issues"], unchecked)
    if wanted != issues:
        yield "issues", issues - wanted, wanted - issues


def _people(expected: list[dict[str, Any]], found: list[dict[str, Any]], unchecked: set[int]) -> Any:
    wanted = {person["row"]: person for person in expected if person["row"] not in unchecked}
    people = {person["row"]: person for person in found if person["row"] not in unchecked}
    if wanted.keys() != people.keys():
        yield "rows", sorted(wanted.keys() ^ people.keys())
    for row in wanted.keys() & people.keys():
        person = {key: value for key, value in people[row].items() if key != "status" or key in wanted[row]}
        if person != wanted[row]:
            yield row, person, wanted[row]


def _issues(issues: list[dict[str, Any]], unchecked: set[int]) -> set[tuple[Any, ...]]:
    return {
        (
            issue["row"],
            None if issue["code"] in ROW_CODES else issue["field"],
            issue["code"],
            issue["severity"],
        )
        for issue in issues
        if issue["row"] not in unchecked and issue["code"] not in REMARKS
    }
