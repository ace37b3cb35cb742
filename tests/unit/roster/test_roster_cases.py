"""The numbered cases of what arrives as a roster (R01 to R82), one by one; each has its number in its name."""

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benefits.roster import normalise, pipeline, sandbox
from benefits.roster.plan import Mode, Present, plan
from benefits.roster.shapes import Checked, Problem
from tests.unit.roster import books

DTD = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
H = books.row(1, "工号", "姓名", "手机号")
GOOD = books.row(2, "A1", "王伟", "13800138000")
HONEST = books.sheet(H, GOOD)


def text(content: str | bytes) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def package(sheet: str | bytes = HONEST, **more: str | bytes) -> Callable[[Path], Path]:
    return lambda path: books.package(path, sheet, **more)


def with_entries(*entries: tuple[str, bytes], **changes: Any) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        books.package(path, HONEST)
        with zipfile.ZipFile(path, "a") as target:
            for name, data in entries:
                entry = zipfile.ZipInfo()
                entry.filename = name
                for key, value in changes.items():
                    setattr(entry, key, value)
                target.writestr(entry, data)
        return path

    return make


def patched(old: bytes, new: bytes, *, at_last: bool = False) -> Callable[[Path], Path]:
    """The honest package, stored, with some bytes of it changed."""

    def make(path: Path) -> Path:
        books.package(path, HONEST)
        with zipfile.ZipFile(path) as source:
            parts = {name: source.read(name) for name in source.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
            for name, data in parts.items():
                target.writestr(name, data)
        data = path.read_bytes()
        where = data.rfind(old) if at_last else data.find(old)
        assert where >= 0
        path.write_bytes(data[:where] + new + data[where + len(old) :])
        return path

    return make


def truncated(path: Path) -> Path:
    books.package(path, HONEST)
    path.write_bytes(path.read_bytes()[:-40])
    return path


def enormous(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(20_000_001)
    return path


def flagged(path: Path) -> Path:
    """A package whose directory says that its first entry is encrypted."""
    books.package(path, HONEST)
    data = bytearray(path.read_bytes())
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    return path


def lying_size(path: Path) -> Path:
    """The directory says that the sheet inflates to one byte."""
    books.package(path, HONEST)
    data = bytearray(path.read_bytes())
    at = data.find(b"xl/worksheets/sheet1.xml", data.find(b"PK\x01\x02"))
    data[at - 46 + 24 : at - 46 + 28] = (1).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def overlapping(path: Path) -> Path:
    """Two entries of the directory that point at the same bytes, many times over."""
    books.package(path, HONEST, docProps__a="<x>" + " " * 400_000 + "</x>")
    with zipfile.ZipFile(path, "a") as target:
        first = target.getinfo("docProps/a.xml")
        for number in range(800):
            twin = zipfile.ZipInfo(f"docProps/b{number}.xml")
            for key in ("header_offset", "CRC", "compress_size", "file_size", "compress_type"):
                setattr(twin, key, getattr(first, key))
            target.filelist.append(twin)
            target.NameToInfo[twin.filename] = twin
        target._didModify = True  # type: ignore[attr-defined]
    return path


def multi_disk(path: Path) -> Path:
    books.package(path, HONEST)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x05\x06")
    data[at + 4 : at + 6] = b"\x01\x00"
    path.write_bytes(data)
    return path


def external_sheet(path: Path) -> Path:
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{books._OFFICE}/worksheet" Target="http://127.0.0.1:9/x.xml" '
        'TargetMode="External"/></Relationships>'
    )
    inner = books.package(path.with_suffix(".tmp"), HONEST)
    with zipfile.ZipFile(path, "w") as target, zipfile.ZipFile(inner) as source:
        for name in source.namelist():
            target.writestr(name, rels if name.endswith("workbook.xml.rels") else source.read(name))
    return path


def far(row: int, column: str = "A") -> str:
    return f'<row r="{row}"><c r="{column}{row}"><v>1</v></c></row>'


UTF16 = ('<?xml version="1.0" encoding="UTF-16"?>' + HONEST).encode("utf-16")
UTF16_DTD = ('<?xml version="1.0" encoding="UTF-16"?>' + DTD + HONEST).encode("utf-16")
ENTITY = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
LONG = "长" * 70_000

# case -> how the file is made, the code it is rejected with
REJECTED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "R01-too-many-bytes": (enormous, "too_large"),
    "R02-no-bytes": (text(""), "empty_file"),
    "R04-html-table": (text("<html><table><tr><td>工号</td></tr></table>"), "unsupported_format"),
    "R04-html-with-a-mark": (text("\ufeff\r\n <TABLE><tr><td>工号"), "unsupported_format"),
    "R04-xml-spreadsheet": (text('<?xml version="1.0"?><Workbook>'), "unsupported_format"),
    "R04-mhtml": (text("MIME-Version: 1.0\r\nContent-Type: multipart/related"), "unsupported_format"),
    "R05-password": (text(books.compound("EncryptedPackage", "EncryptionInfo")), "encrypted"),
    "R06-truncated": (truncated, "corrupt"),
    "R07-checksum": (patched("王伟".encode(), "王偉".encode()), "corrupt"),
    "R08-white-space-bomb": (package(books.sheet(H, GOOD, after=" " * 60_000_000)), "too_large"),
    "R09-cell-bomb": (package(books.sheet(H, "<row><c/></row>" * 9_000_000)), "too_large"),
    "R10-shared-string-bomb": (
        package(xl__sharedStrings="<sst><si><t>" + "a" * 60_000_000 + "</t></si></sst>"),
        "too_large",
    ),
    "R11-size-that-lies": (lying_size, "corrupt"),
    "R12-overlapping-entries": (overlapping, "corrupt"),
    "R13-60000-parts": (
        with_entries(*((f"xl/media/{number}.png", b"") for number in range(6_000))),
        "too_large",
    ),
    "R14-part-twice": (with_entries(("XL/worksheets/SHEET1.xml", b"<x/>")), "corrupt"),
    "R15-part-that-climbs": (with_entries(("xl/../../evil.xml", b"<x/>")), "corrupt"),
    "R16-symbolic-link": (with_entries(("xl/link.xml", b"/etc/passwd"), external_attr=0o120777 << 16), "corrupt"),
    "R17-zip-encryption": (flagged, "encrypted"),
    "R20-xlsb": (
        lambda path: _types(path, "application/vnd.ms-excel.sheet.binary.macroEnabled.main"),
        "unsupported_format",
    ),
    "R21-several-disks": (multi_disk, "corrupt"),
    "R22-laughs-in-strings": (package(xl__sharedStrings=DTD + "<sst><si><t>&b;</t></si></sst>"), "unsafe_xml"),
    "R23-laughs-in-the-sheet": (package(DTD + HONEST), "unsafe_xml"),
    "R24-quadratic": (package(f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>' + HONEST), "unsafe_xml"),
    "R25-external-entity": (package(ENTITY + HONEST), "unsafe_xml"),
    "R26-hidden-by-utf16": (package(UTF16_DTD), "unsafe_xml"),
    "R27-honest-utf16": (package(UTF16), "unsupported_format"),
    "R28-nested": (package("<a>" * 200_000), "too_large"),
    "R29-styles": (package(xl__styles=f"<styleSheet>{'<xf/>' * 1_000_000}</styleSheet>"), "too_large"),
    "R30-names": (package(xl__x=f"<x>{'<definedName>1</definedName>' * 250_000}</x>"), "too_large"),
    "R31-merges": (
        package(books.sheet(H, GOOD, after='<mergeCell ref="A1:B1"/>' * 60_000)),
        "too_large",
    ),
    "R33-sheet-at-an-address": (external_sheet, "corrupt"),
    "R35-strings-missing": (package(books.sheet('<row r="1"><c r="A1" t="s"><v>0</v></c></row>')), "corrupt"),
    "R36-string-out-of-range": (
        package(
            books.sheet('<row r="1"><c r="A1" t="s"><v>99</v></c></row>'),
            xl__sharedStrings="<sst><si><t>a</t></si></sst>",
        ),
        "corrupt",
    ),
    "R39-far-cell": (package(books.sheet(H, GOOD, far(1_048_576, "XFD"))), "too_large"),
    "R40-last-row": (package(books.sheet(H, GOOD, far(1_048_576))), "too_large"),
    "R41-beyond-the-last-column": (package(books.sheet(H, far(2, "ZZZZ"))), "corrupt"),
    "R42-row-twice": (package(books.sheet(H, GOOD, books.row(2, "A2", "李娜"))), "corrupt"),
    "R42-cell-twice": (
        package(books.sheet(H, GOOD.replace("</row>", '<c r="A2"><v>2</v></c></row>'))),
        "corrupt",
    ),
    "R43-row-0": (package(books.sheet(books.row(0, "x"), H, GOOD)), "corrupt"),
    "R43-out-of-order": (package(books.sheet(H, books.row(3, "A2", "李娜"), GOOD)), "corrupt"),
    "R44-too-many-rows": (text("工号,姓名\n" + "1,王伟\n" * 200_001), "too_large"),
    "R49-no-header": (package(books.sheet(books.row(1, "发票号", "金额"), books.row(2, "1", "2"))), "no_header"),
    "R81-nul": (text("工号,姓名\n1,王\0伟\n"), "unsupported_format"),
    "R81-no-encoding": (text("工号,姓名\n".encode("gbk") + b"1,\xff\xff\n"), "unsupported_format"),
    "R82-long-field": (text(f"工号,姓名\n1,{LONG}\n"), "corrupt"),
    "R82-open-quotation": (text('工号,姓名\n1,"王伟\n2,李娜\n'), "corrupt"),
}  # fmt: skip


def _types(path: Path, kind: str) -> Path:
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("[Content_Types].xml", f'<Types><Override ContentType="{kind}"/></Types>')
    return path


@pytest.mark.parametrize("case", REJECTED)
def test_rejected(case: str, tmp_path: Path) -> None:
    make, code = REJECTED[case]

    found = pipeline.checked(make(tmp_path / "file"))

    assert (found.outcome, found.reject_code) == ("rejected", code)
    assert found.employees == ()


OLE_BLOB = ("xl/embeddings/oleObject1.bin", b"\xd0\xcf\x11\xe0" * 9)
BLANKS = "".join(f'<row r="{n}"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>' for n in range(3, 6_000))

# case -> how the file is made; one person, 王伟, is read from each
READ: dict[str, Callable[[Path], Path]] = {
    "R03-text-named-xlsx": text("工号,姓名\nA1,王伟\n"),
    "R18-embedded": with_entries(OLE_BLOB, ("xl/media/image1.png", b"\x89PNG"), ("xl/inner.zip", b"PK\x03\x04")),
    "R19-macros": lambda path: books.package(path, HONEST, macros=True),
    "R19-macros-in-an-xlsx": with_entries(("xl/vbaProject.bin", books.compound("VBA"))),
    "R20-ods": lambda path: books.ods(path, [["工号", "姓名"], ["A1", "王伟"]]),
    "R32-one-merge-over-everything": package(
        books.sheet(H, GOOD, after='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')
    ),
    "R34-links-and-queries": with_entries(
        ("xl/externalLinks/externalLink1.xml", b"<externalLink><ddeLink ddeService='cmd'/></externalLink>"),
        ("xl/connections.xml", b"<connections><connection odcFile='http://127.0.0.1/'/></connections>"),
        ("customXml/item1.xml", b"<x/>"),
    ),
    "R37-style-that-is-not-there": package(books.sheet(H, GOOD.replace('r="A2"', 'r="A2" s="9999"'))),
    "R38-dimension": package(HONEST.replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')),
    "R45-blank-rows": package(books.sheet(H, GOOD, BLANKS)),
    "R46-hidden-row": package(books.sheet(H, GOOD.replace('r="2"', 'r="2" hidden="1"', 1))),
    "R49-heading-with-extras": package(books.sheet(books.row(1, "＊工 号（必填）：", "姓&#10;名*"), GOOD)),
    "R49-heading-twice": package(books.sheet(books.row(1, "工号", "姓名", "工号"), GOOD)),
    "R50-title": package(books.sheet(*(books.row(n, "标题") for n in range(1, 12)), H.replace("1\"", "12\""), GOOD.replace("2\"", "13\""))),
    "R51-merged-header": package(
        books.sheet(H, "<row r='2'/>", GOOD.replace('2"', '3"'), after='<mergeCells><mergeCell ref="A1:A2"/></mergeCells>')
    ),
    "R64-formula-with-value": package(
        books.sheet(H, '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>B9</f><v>王伟</v></c></row>')
    ),
    "R81-gb18030": text("工号,姓名\nA1,王伟\n".encode("gb18030")),
    "R81-utf8-mark": text("\ufeff工号,姓名\nA1,王伟\n"),
    "R81-utf16": text("工号\t姓名\nA1\t王伟\n".encode("utf-16")),
    "R81-utf16-without-a-mark": text("工号\t姓名\nA1\t王伟\n".encode("utf-16-le")),
    "R81-semicolons": text("工号;姓名\r\nA1;王伟\r\n"),
    "R81-line-break-inside": text('工号,姓名,备注\nA1,王伟,"一\n二"\n'),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_read(case: str, tmp_path: Path) -> None:
    found = pipeline.checked(READ[case](tmp_path / "file"))

    assert (found.outcome, [p.name for p in found.employees], found.issues) == ("ok", ["王伟"], ())


def one(tmp_path: Path, **cells: Any) -> Checked:
    """A roster of one person with these cells."""
    spelled = {"employee_no": "工号", "name": "姓名", "mobile": "手机号", "id_number": "身份证号", "points": "积分",
               "hired_on": "入职日期", "grade": "职级", "email": "邮箱", "department": "部门",
               "city": "工作城市", "regular_on": "转正日期"}  # fmt: skip
    row = {"employee_no": "A1", "name": "王伟", **cells}
    return pipeline.checked(
        books.workbook(tmp_path / "a.xlsx", [[spelled[key] for key in row], list(row.values())])
    )


# case -> the cells of a person, what is read of them
VALUES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("R52-mobile-as-a-number", {"mobile": 13800138000.0}, {"mobile": "13800138000"}),
    ("R56-full-width", {"mobile": "１３８００１３８０００", "employee_no": "Ａ００１"}, {"mobile": "13800138000", "employee_no": "A001"}),
    ("R57-unseen", {"name": "王\u200b\u00a0伟\u202e"}, {"name": "王伟"}),
    ("R62-names", {"name": "阿依古丽·买买提"}, {"name": "阿依古丽·买买提"}),
    ("R62-rare", {"name": "䶮𠮷"}, {"name": "䶮𠮷"}),
    ("R69-points", {"points": "¥1,000"}, {"points": 1000}),
    ("R69-full-width-points", {"points": "１２"}, {"points": 12}),
    ("R77-formula", {"name": "=cmd|' /C calc'!A0"}, {"name": "=cmd|' /C calc'!A0"}),
    ("R77-at", {"name": "@SUM(1+1)"}, {"name": "@SUM(1+1)"}),
    ("R78-markup", {"name": "<script>{{7*7}}{% x %}"}, {"name": "<script>{{7*7}}{% x %}"}),
    ("city", {"city": " 上海  浦东 "}, {"city": "上海 浦东"}),
    ("regular-on", {"regular_on": "2024年9月1日"}, {"regular_on": dt.date(2024, 9, 1)}),
    ("R79-sql", {"name": "'; DROP TABLE x;--"}, {"name": "'; DROP TABLE x;--"}),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "expected"), [v[1:] for v in VALUES], ids=[v[0] for v in VALUES])
def test_value(cells: dict[str, Any], expected: dict[str, Any], tmp_path: Path) -> None:
    found = one(tmp_path, **cells)

    assert found.issues == ()
    assert {name: getattr(found.employees[0], name) for name in expected} == expected


@pytest.mark.parametrize("cells", [{"regular_on": "试用期内"}, {"city": "长" * 41}])
def test_what_only_rules_of_grants_read_holds_nobody_back(cells: dict[str, Any], tmp_path: Path) -> None:
    found = one(tmp_path, **cells)

    (name,) = cells
    assert [getattr(one_, name) for one_ in found.employees] == [None]
    assert [(i.row, i.field, i.code, i.severity) for i in found.issues] == [(2, name, "left_out", "warning")]


# case -> the cells of a person, the issue they make
ISSUES: list[tuple[str, dict[str, Any], str]] = [
    ("R53-shortened", {"mobile": "1.38E+10"}, "invalid_mobile"),
    ("R54-id-as-a-number", {"id_number": 110101199003071234}, "invalid_id_number"),
    ("R54-number-as-a-number", {"employee_no": 1234567890123456}, "lost_digits"),
    ("R59-control", {"name": "王\x01伟"}, "unsafe_text"),
    ("R61-long-grade", {"grade": "P" * 41}, "text_too_long"),
    ("R61-long-name", {"name": "长" * 51}, "name_too_long"),
    ("R65-error-text", {"name": "#REF!"}, "error_cell"),
    ("R66-true-as-a-name", {"name": True}, "true_or_false"),
    ("R66-true-as-points", {"points": True}, "invalid_points"),
    ("R67-serial-60", {"hired_on": 60}, "invalid_date"),
    ("R67-negative", {"hired_on": -1}, "invalid_date"),
    ("R67-huge", {"hired_on": 9e9}, "invalid_date"),
    ("R67-no-such-day", {"hired_on": "2024-02-30"}, "invalid_date"),
    ("R69-negative", {"points": -5}, "invalid_points"),
    ("R69-underscore", {"points": "1_000"}, "invalid_points"),
    ("R69-arabic", {"points": "٣"}, "invalid_points"),
    ("R70-too-many-points", {"points": "99999999999999999999"}, "invalid_points"),
]


@pytest.mark.parametrize(("cells", "code"), [v[1:] for v in ISSUES], ids=[v[0] for v in ISSUES])
def test_issue(cells: dict[str, Any], code: str, tmp_path: Path) -> None:
    found = one(tmp_path, **cells)

    assert [(i.code, i.severity) for i in found.issues] == [(code, "error")]
    assert found.employees == ()


def test_r47_hidden_sheets_are_not_read(tmp_path: Path) -> None:
    path = books.package(tmp_path / "a.xlsx", HONEST)
    hidden = books._BOOK.replace('sheetId="1"', 'sheetId="1" state="veryHidden"')
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for name, data in parts.items():
            target.writestr(name, hidden if name == "xl/workbook.xml" else data)

    assert pipeline.checked(path).outcome == "rejected"


def test_r48_a_header_alone_changes_nothing(tmp_path: Path) -> None:
    found = pipeline.checked(books.package(tmp_path / "a.xlsx", books.sheet(H)))

    assert (found.outcome, found.employees, [n.code for n in found.notes]) == ("ok", (), ["no_data_rows"])


def test_r55_leading_zeros_lost_never_make_a_second_person(tmp_path: Path) -> None:
    found = one(tmp_path, employee_no=123)

    made = plan(found.employees, found.held, [Present("00123", name="王伟", status="active")], Mode.MERGE)

    assert [i.code for i in made.issues] == ["similar_employee_no"]
    assert made.steps == ()


def test_r58_an_escaped_nul_is_no_text(tmp_path: Path) -> None:
    found = pipeline.checked(
        books.package(tmp_path / "a.xlsx", books.sheet(H, books.row(2, "A1", "王_x0000_伟")))
    )

    assert [i.code for i in found.issues] == ["unsafe_text"]
    assert "\0" not in repr(found.texts)


def test_r60_a_lone_surrogate_is_no_text() -> None:
    found = normalise.attempt(normalise.name, "王\ud800")

    assert isinstance(found, Problem)
    assert found.code == "unsafe_text"


def test_r63_a_formula_without_its_value(tmp_path: Path) -> None:
    cells = '<row r="2"><c r="A2"><f>1+1</f></c><c r="B2"><f>B9</f><v/></c></row>'

    found = pipeline.checked(books.package(tmp_path / "a.xlsx", books.sheet(H, cells)))

    assert {i.code for i in found.issues} == {"formula_without_value"}


def test_r65_an_error_cell(tmp_path: Path) -> None:
    cells = GOOD.replace(
        '<c r="C2" t="inlineStr"><is><t>13800138000</t></is></c>', '<c r="C2" t="e"><v>#N/A</v></c>'
    )

    found = pipeline.checked(books.package(tmp_path / "a.xlsx", books.sheet(H, cells)))

    assert [(i.field, i.code) for i in found.issues] == [("mobile", "error_cell")]
    assert found.texts[2]["mobile"] == "#N/A"


@pytest.mark.parametrize("error", ["#SPILL!", "#CALC!", "#FIELD!", "#GETTING_DATA", "#BUSY!", "#DIV/0!"])
def test_r65_an_error_that_newer_programs_write(tmp_path: Path, error: str) -> None:
    cells = GOOD.replace("</row>", f'<c r="D2" t="e"><v>{error}</v></c></row>')
    wrong = books.row(3, "A2", "李娜").replace("</row>", f'<c r="C3" t="e"><v>{error}</v></c></row>')

    found = pipeline.checked(books.package(tmp_path / "a.xlsx", books.sheet(H, cells, wrong)))

    assert [p.name for p in found.employees] == ["王伟"]
    assert [(i.row, i.field, i.code, i.params) for i in found.issues] == [
        (3, "mobile", "error_cell", {"value": error})
    ]


@pytest.mark.parametrize("number", ["1e400", "NaN", "-INF"])
def test_r68_amounts_that_are_no_numbers(tmp_path: Path, number: str) -> None:
    head = books.row(1, "工号", "姓名", "积分")
    cells = books.row(2, "A1", "王伟").replace("</row>", f'<c r="C2"><v>{number}</v></c></row>')

    found = sandbox.check_file(books.package(tmp_path / "a.xlsx", books.sheet(head, cells)))

    assert found.employees == ()


def test_r72_the_same_number_twice_holds_back_the_later_row(tmp_path: Path) -> None:
    found = pipeline.checked(books.roster(tmp_path / "a.xlsx", ["A1", "王伟"], ["A1", "李娜"]))

    assert [(i.row, i.code) for i in found.issues] == [(3, "duplicate_employee_no")]
