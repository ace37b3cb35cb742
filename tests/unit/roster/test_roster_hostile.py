"""Files that mean harm, or are merely broken: each gets a clear answer, within limits."""

import io
import zipfile
from pathlib import Path

import pytest

from benefits.roster import pipeline, sandbox
from benefits.roster.guard import Limits, inspect
from benefits.roster.shapes import Rejected
from tests.unit.roster import books

DTD = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'


def verdict(path: Path) -> tuple[str | None, str]:
    found = pipeline.checked(path)
    return found.reject_code, found.reject_reason


def test_the_honest_package_is_read(tmp_path: Path) -> None:
    found = pipeline.checked(books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST)))

    assert [person.employee_no for person in found.employees] == ["A1"]


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"")

    assert verdict(tmp_path / "a.xlsx") == ("empty_file", "")


@pytest.mark.parametrize("content", [b"  \r\n\t", b"\xef\xbb\xbf"])
def test_a_text_with_nothing_in_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)

    assert verdict(tmp_path / "a.csv")[0] == "empty_file"


def test_a_workbook_without_a_cell(tmp_path: Path) -> None:
    assert verdict(books.workbook(tmp_path / "a.xlsx", []))[0] == "empty_file"


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7 x", b"\x89PNG\r\n\x1a\n\x00\x00", b"<html><table>", b"\x00\x01\x02\x03\x04", b"PK\x03\x04"],
)
def test_what_is_no_table(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)

    assert verdict(tmp_path / "a.xlsx")[0] in {"unsupported_format", "corrupt"}


def test_the_bytes_decide_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes("工号,姓名\nA1,王伟\n".encode())

    assert len(pipeline.checked(tmp_path / "a.xlsx").employees) == 1


@pytest.mark.parametrize("cut", [10, 100, 300, -30])
def test_a_truncated_package(tmp_path: Path, cut: int) -> None:
    whole = books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST)).read_bytes()
    (tmp_path / "a.xlsx").write_bytes(whole[:cut])

    assert verdict(tmp_path / "a.xlsx")[0] == "corrupt"


def test_a_part_with_a_wrong_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as package:
        whole = books.package(tmp_path / "b.xlsx", books.sheet(*books.HONEST))
        for name in zipfile.ZipFile(whole).namelist():
            package.writestr(name, zipfile.ZipFile(whole).read(name))
    path.write_bytes(path.read_bytes().replace("王伟".encode(), "王偉".encode(), 1))

    assert verdict(path)[0] == "corrupt"


@pytest.mark.parametrize("where", ["sheet", "strings", "unread"])
def test_a_document_type_is_refused_wherever_it_stands(tmp_path: Path, where: str) -> None:
    sheet = books.sheet(*books.HONEST, before=DTD if where == "sheet" else "")
    more = (
        {}
        if where == "sheet"
        else {"xl__sharedStrings" if where == "strings" else "docProps__core": DTD + "<x/>"}
    )

    assert verdict(books.package(tmp_path / "a.xlsx", sheet, **more))[0] == "unsafe_xml"


def test_a_document_type_hidden_by_utf16(tmp_path: Path) -> None:
    sheet = ('<?xml version="1.0" encoding="UTF-16"?>' + books.sheet(*books.HONEST, before=DTD)).encode(
        "utf-16"
    )

    assert verdict(books.package(tmp_path / "a.xlsx", sheet))[0] == "unsafe_xml"


def test_an_honest_utf16_part_is_never_read_as_nobody(tmp_path: Path) -> None:
    sheet = ('<?xml version="1.0" encoding="UTF-16"?>' + books.sheet(*books.HONEST)).encode("utf-16")

    assert verdict(books.package(tmp_path / "a.xlsx", sheet)) == ("unsupported_format", "xml_encoding")


def test_a_bomb_is_stopped_by_what_really_comes_out(tmp_path: Path) -> None:
    sheet = books.sheet(*books.HONEST, after=" " * 40_000_000)
    path = books.package(tmp_path / "a.xlsx", sheet)

    assert verdict(path) == ("too_large", "inflates")


def test_a_small_limit_counts_all_parts_together(tmp_path: Path) -> None:
    path = books.package(
        tmp_path / "a.xlsx", books.sheet(*books.HONEST), docProps__x="<x>" + " " * 900 + "</x>"
    )

    with pytest.raises(Rejected) as error:
        inspect(path, Limits(inflated_bytes=1500))

    assert error.value.code == "too_large"


def test_deep_nesting(tmp_path: Path) -> None:
    assert verdict(books.package(tmp_path / "a.xlsx", "<a>" * 200_000))[0] == "too_large"


def test_a_style_bomb(tmp_path: Path) -> None:
    styles = f"<styleSheet><cellXfs>{'<xf/>' * 1_000_000}</cellXfs></styleSheet>"

    assert (
        verdict(books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST), xl__styles=styles))[0]
        == "too_large"
    )


def test_many_merges(tmp_path: Path) -> None:
    merges = "".join(f'<mergeCell ref="A{i}:B{i}"/>' for i in range(1, 60_000))
    sheet = books.sheet(*books.HONEST, after=f"<mergeCells>{merges}</mergeCells>")

    assert verdict(books.package(tmp_path / "a.xlsx", sheet)) == ("too_large", "merges")


def test_one_far_cell(tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'

    assert verdict(books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST, far))) == (
        "too_large",
        "far_cell",
    )


def test_a_far_cell_in_a_row_that_lies(tmp_path: Path) -> None:
    far = '<row r="3"><c r="XFD1048576"><v>1</v></c></row>'

    assert verdict(books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST, far))) == (
        "too_large",
        "far_cell",
    )


@pytest.mark.parametrize("reference", ["ZZZZ3", "XFE3", "A1048577"])
def test_a_cell_outside_of_excel(tmp_path: Path, reference: str) -> None:
    digits = reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    far = f'<row r="{digits}"><c r="{reference}"><v>1</v></c></row>'

    assert verdict(books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST, far)))[0] == "corrupt"


def test_a_dimension_that_lies_is_ignored(tmp_path: Path) -> None:
    sheet = books.sheet(*books.HONEST).replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')

    assert len(pipeline.checked(books.package(tmp_path / "a.xlsx", sheet)).employees) == 1


@pytest.mark.parametrize(
    "name", ["../evil.xml", "/etc/passwd.xml", "C:evil.xml", "xl\\worksheets\\x.xml", "XL/WORKBOOK.XML"]
)
def test_part_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    path = books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST))
    with zipfile.ZipFile(path, "a") as package:
        entry = zipfile.ZipInfo()
        entry.filename = name
        package.writestr(entry, "<x/>")

    assert verdict(path) == ("corrupt", "part_name")


def test_too_many_parts(tmp_path: Path) -> None:
    path = books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as package:
        for number in range(6000):
            package.writestr(f"xl/media/{number}.png", b"")

    assert verdict(path) == ("too_large", "parts")


def test_zip_encryption(tmp_path: Path) -> None:
    path = books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST))
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)

    assert verdict(path) == ("encrypted", "zip")


@pytest.mark.parametrize(
    ("types", "reason"),
    [
        ("application/vnd.ms-excel.sheet.binary.macroEnabled.main", "xlsb"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", "document"),
    ],
)
def test_workbooks_that_are_not_read(tmp_path: Path, types: str, reason: str) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("[Content_Types].xml", f'<Types><Override ContentType="{types}"/></Types>')

    assert verdict(path) == ("unsupported_format", reason)


@pytest.mark.parametrize(
    ("stream", "code"),
    [("EncryptedPackage", "encrypted"), ("WordDocument", "unsupported_format"), ("Workbook", "empty_file")],
)
def test_compound_files(tmp_path: Path, stream: str, code: str) -> None:
    (tmp_path / "a.xls").write_bytes(books.compound(stream))

    assert verdict(tmp_path / "a.xls")[0] == code


def test_a_broken_compound_file(tmp_path: Path) -> None:
    (tmp_path / "a.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x09" * 300)

    assert verdict(tmp_path / "a.xls")[0] == "corrupt"


@pytest.mark.parametrize(
    "sheet",
    [
        books.sheet('<row r="1"><c r="A1" t="s"><v>99</v></c></row>'),
        books.sheet('<row r="1"><c r="A1"><v>x</v></row>'),
        "<worksheet>",
        "not xml",
    ],
)
def test_broken_sheets_do_not_break_us(tmp_path: Path, sheet: str) -> None:
    assert verdict(books.package(tmp_path / "a.xlsx", sheet))[0] in {"corrupt", "empty_file", "no_header"}


def test_an_open_quotation_swallows_nobody(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes('工号,姓名\nA1,"王伟\nA2,李娜\n'.encode())

    assert verdict(tmp_path / "a.csv") == ("corrupt", "open_quote")


def test_a_child_out_of_memory_is_an_answer(tmp_path: Path) -> None:
    path = books.roster(tmp_path / "a.xlsx", ["A1", "王伟", "13800138000"])

    found = sandbox.check_file(path, allowance=sandbox.Allowance(memory_bytes=22_000_000))

    assert (found.outcome, found.reject_code) in {("rejected", "too_large"), ("rejected", "corrupt")}


def test_a_child_that_takes_too_long_is_an_answer(tmp_path: Path) -> None:
    path = books.roster(tmp_path / "a.xlsx", ["A1", "王伟", "13800138000"])

    found = sandbox.check_file(path, allowance=sandbox.Allowance(wall_seconds=0))

    assert (found.reject_code, found.reject_reason) == ("too_large", "time")


def test_the_child_can_send_plain_values_only() -> None:
    import pickle

    assert sandbox._load(pickle.dumps(Path("x")))[:2] == ("rejected", "corrupt")
    assert sandbox._load(pickle.dumps(("ok", 1))) == ("ok", 1)


def test_an_archive_in_memory_is_never_written_out(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as package:
        package.writestr("bomb", b"0" * 1000)
    path = books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST))
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("xl/embeddings/inner.zip", inner.getvalue())

    assert len(pipeline.checked(path).employees) == 1
    assert [item.name for item in tmp_path.iterdir()] == ["a.xlsx"]


@pytest.mark.parametrize("name", ["xl/worksheets/sheet1.txt", "xl/media/sheet1.png", "xl/sheet"])
def test_a_sheet_under_another_name_is_looked_at_all_the_same(tmp_path: Path, name: str) -> None:
    path = books.package(tmp_path / "a.xlsx", books.sheet(*books.HONEST, before=DTD))
    with zipfile.ZipFile(path) as source:
        parts = {part: source.read(part) for part in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for part, data in parts.items():
            moved = data.replace(b"worksheets/sheet1.xml", name.removeprefix("xl/").encode())
            target.writestr(name if part.endswith("sheet1.xml") else part, moved)

    assert verdict(path) == ("unsafe_xml", "")


@pytest.mark.parametrize("encoding", ["U-8", "gb18030", "utf-7", "x" * 300, "big5"])
def test_an_encoding_that_no_part_may_have(tmp_path: Path, encoding: str) -> None:
    sheet = f'<?xml version="1.0" encoding="{encoding}"?>' + books.sheet(*books.HONEST)

    assert verdict(books.package(tmp_path / "a.xlsx", sheet))[0] in {"unsupported_format", "corrupt"}
