"""Reading a roster of 20,000 rows against python-calamine alone on the same file."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import xlsxwriter
from python_calamine import CalamineWorkbook

from benefits.roster import guard, pipeline, read
from tests.bench.measure import Figures, in_turns

ROWS = 20_000
HEADINGS = ["工号", "姓名", "手机号", "邮箱", "部门", "入职日期", "生日", "职级", "城市", "备注"]


def run_reading() -> Figures:
    """Seconds to guard and read the workbook, and for calamine alone."""
    return _beside_calamine(lambda path: read.read(path, guard.inspect(path)))


def run_checking() -> Figures:
    """Seconds to read, recognise, normalise and check every row, and for calamine alone."""
    return _beside_calamine(pipeline.checked)


def _beside_calamine(ours: Callable[[Path], object]) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roster.xlsx"
        write(path, ROWS)

        def job() -> None:
            ours(path)

        def floor() -> None:
            CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()

        return {**in_turns(ours=job, floor=floor, unit="s"), "rows": ROWS}


def write(path: Path, rows: int) -> None:
    """A workbook of so many people in ten columns of text."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as workbook:
        sheet = workbook.add_worksheet("花名册")
        sheet.write_row(0, 0, HEADINGS)
        for row in range(1, rows + 1):
            sheet.write_row(
                row, 0,
                [f"A{row:06d}", f"王芳{row % 97}", f"139{row:08d}", f"a{row}@example.com", f"技术中心/{row % 40}组",
                 f"2020-{row % 12 + 1:02d}-15", f"1990-{row % 12 + 1:02d}-{row % 28 + 1:02d}", f"P{row % 9}", "深圳", ""],
            )  # fmt: skip
