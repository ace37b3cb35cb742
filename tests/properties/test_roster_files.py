"""Any layout of a roster reads back as the same people; any bytes get an answer."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benefits.roster import details, pipeline, sandbox
from tests.storm.fuzz import mutated
from tests.unit.roster import layouts


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize("kind", layouts.KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False))
def test_any_layout_reads_back_as_the_same_people(kind: str, random: Random, folder: Path) -> None:
    layout = layouts.draw(random, kind)

    found = pipeline.checked(layouts.write(layout, folder / "file"))

    assert (found.outcome, found.issues) == ("ok", ())
    assert list(found.employees) == layout.people


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=4_000),
    head=st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe"]),
)
def test_any_bytes_get_an_answer(data: bytes, head: bytes, folder: Path) -> None:
    (folder / "file").write_bytes(head + data)

    assert sandbox.check_file(folder / "file").outcome in ("ok", "rejected")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False))
def test_any_damaged_file_gets_an_answer(random: Random, folder: Path) -> None:
    whole = layouts.write(layouts.draw(random), folder / "whole").read_bytes()
    (folder / "file").write_bytes(mutated(whole, random))

    assert sandbox.check_file(folder / "file").outcome in ("ok", "rejected")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=400))
def test_any_text_gets_an_answer(text: str, folder: Path) -> None:
    (folder / "file").write_bytes(("工号,姓名,手机\n" + text).encode("utf-8", "surrogatepass"))

    found = pipeline.checked(folder / "file")

    assert found.outcome == "ok" or found.reject_code


@settings(max_examples=300, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_the_quick_look_at_a_sheet_sees_what_the_full_one_sees(random: Random) -> None:
    data = _sheet(random).encode()
    codes, padded = {"1": "00000", "12": '"HR"000'}, (0, 27)

    quick = details.quick_scan(data, codes, padded)

    assert quick == details.full_scan(data, codes, padded)


def _sheet(random: Random) -> str:
    """A sheet part of cells by chance, written as usual programs write them."""
    rows = []
    for number in range(1, random.randint(2, 8)):
        cells = "".join(_raw_cell(random, f"{column}{number}") for column in ("A", "B", "AB"))
        attributes = random.choice(
            ["", ' spans="1:3"', ' hidden="1"', ' ht="15" hidden="true"', ' hidden="0"', " hidden='1'"]
        )
        rows.append(
            f'<row r="{number}"{attributes}>{cells}</row>' if cells else f'<row r="{number}"{attributes}/>'
        )
    return f"<worksheet><cols><col min='1' max='2' hidden='1'/></cols><sheetData>{''.join(rows)}</sheetData></worksheet>"


def _raw_cell(random: Random, at: str) -> str:
    style = random.choice(["", ' s="1"', ' s="12"', ' s="3"', " s='1'"])
    kind = random.choice(["", ' t="n"', ' t="e"', ' t="str"', ' t="s"', ' t="b"', " t='e'"])
    attributes = random.choice([f"{style}{kind}", f"{kind}{style}"])
    formula = random.choice(
        ["", "", "<f>A1+1</f>", '<f t="shared" si="0"/>', '<f ca="1">A1&lt;2</f>', "<f/>"]
    )
    value = random.choice(["", "<v></v>", "<v/>", "<v>1</v>", "<v>#N/A</v>"])
    if not formula and not value:
        return random.choice(["", f'<c r="{at}"{attributes}/>'])
    return f'<c r="{at}"{attributes}>{formula}{value}</c>'
