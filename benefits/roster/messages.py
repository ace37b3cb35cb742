"""Sentences for issues, notes and rejections: what is wrong and what to do, in the reader's language.

Personal values are never repeated here; the row and the column are enough to find them.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from .parts import LIMITS
from .recognise import HEADER_WITHIN
from .shapes import Checked, Issue, Note, Params

FIELD_LABELS = {
    "employee_no": pgettext_lazy("roster column", "employee number"),
    "name": pgettext_lazy("roster column", "name"),
    "mobile": pgettext_lazy("roster column", "mobile number"),
    "department": pgettext_lazy("roster column", "department"),
    "email": pgettext_lazy("roster column", "e-mail"),
    "hired_on": pgettext_lazy("roster column", "date of joining"),
    "birthday": pgettext_lazy("roster column", "birthday"),
    "grade": pgettext_lazy("roster column", "grade"),
    "city": pgettext_lazy("roster column", "city"),
    "regular_on": pgettext_lazy("roster column", "regular from"),
    "points": pgettext_lazy("roster column", "points"),
    "status": pgettext_lazy("roster column", "status"),
    "left_on": pgettext_lazy("roster column", "date of leaving"),
    "id_number": pgettext_lazy("roster column", "ID number"),
}

# code, or code and the way it failed -> sentence
_ISSUES = {
    "missing_employee_no": gettext_lazy("Row %(row)d: the employee number is missing. Fill it in."),
    "missing_name": gettext_lazy("Row %(row)d: the name is missing. Fill it in."),
    "name_too_long": gettext_lazy(
        "Row %(row)d: the name has %(length)d characters; at most %(limit)d are allowed."
    ),
    "text_too_long": gettext_lazy(
        "Row %(row)d: the %(field)s is longer than %(limit)d characters. Shorten it."
    ),
    "unsafe_text": gettext_lazy(
        "Row %(row)d: the %(field)s holds invisible control characters. Type it again."
    ),
    "lost_digits": gettext_lazy(
        "Row %(row)d: Excel has cut the last digits of the %(field)s. Format the column as text and type it again."
    ),
    "true_or_false": gettext_lazy(
        "Row %(row)d: the %(field)s is TRUE or FALSE, which is no %(field)s. Type it again."
    ),
    "error_cell": gettext_lazy(
        "Row %(row)d: the %(field)s shows the error %(value)s. Correct the formula or type it."
    ),
    "formula_without_value": gettext_lazy(
        "Row %(row)d: the %(field)s is a formula without a stored result. Open the file in Excel and save it again."
    ),
    "invalid_mobile": gettext_lazy(
        "Row %(row)d: this is not a mobile number of mainland China (11 digits that begin with 13 to 19)."
    ),
    "invalid_mobile:lost": gettext_lazy(
        "Row %(row)d: Excel has shortened the mobile number to a form like 1.38E+10. "
        "Format the column as text and type it again."
    ),
    "invalid_date": gettext_lazy("Row %(row)d: the %(field)s is not a date. Write it like 2024-03-05."),
    "invalid_date:no_such_day": gettext_lazy("Row %(row)d: the %(field)s names a day that does not exist."),
    "invalid_date:range": gettext_lazy("Row %(row)d: the %(field)s lies outside the years 1900 to 2100."),
    "invalid_email": gettext_lazy(
        "Row %(row)d: the e-mail address is not complete. Write it like name@example.com."
    ),
    "invalid_id_number": gettext_lazy(
        "Row %(row)d: an ID number has 18 characters. Correct it, or leave it blank."
    ),
    "invalid_id_number:lost": gettext_lazy(
        "Row %(row)d: the ID number was stored as a number and has lost its last digits. "
        "Format the column as text and type it again, or leave it blank."
    ),
    "invalid_id_number:date": gettext_lazy("Row %(row)d: the birthday inside the ID number does not exist."),
    "invalid_id_number:check": gettext_lazy(
        "Row %(row)d: the check digit of the ID number is wrong; a digit is off."
    ),
    "invalid_points": gettext_lazy("Row %(row)d: the points are not a number. Write digits only, like 1000."),
    "invalid_points:negative": gettext_lazy("Row %(row)d: points cannot be negative."),
    "invalid_points:limit": gettext_lazy(
        "Row %(row)d: more than %(limit)d points for one person are not possible."
    ),
    "unknown_status": gettext_lazy(
        "Row %(row)d: the status “%(value)s” is not known. Write 在职 (active) or 离职 (left), or leave it blank."
    ),
    "duplicate_employee_no": gettext_lazy(
        "Row %(row)d: the employee number already belongs to another name in row %(first_row)d. Correct one of them."
    ),
    "conflicting_row": gettext_lazy(
        "Row %(row)d: the same person stands in row %(first_row)d with other details. Keep the right row only."
    ),
    "duplicate_mobile": gettext_lazy(
        "Row %(row)d: the mobile number is also in row %(first_row)d, for another person. Correct one of them."
    ),
    "left_out": gettext_lazy(
        "Row %(row)d: the %(field)s cannot be read and is left out. Correct it if you need it."
    ),
    "identical_duplicate": gettext_lazy("Row %(row)d repeats row %(first_row)d and is skipped."),
    "mobile_taken": gettext_lazy(
        "Row %(row)d: the mobile number belongs to employee %(other)s. Correct it here, or there first."
    ),
    "similar_employee_no": gettext_lazy(
        "Row %(row)d: employee %(other)s differs only in leading zeros. Format the column as text so that they stay."
    ),
}

_REJECTIONS = {
    "empty_file": gettext_lazy("The file is empty. Choose the file that holds the staff list."),
    "encrypted": gettext_lazy(
        "The file is protected by a password. Remove the password in Excel, save and upload again."
    ),
    "unsupported_format": gettext_lazy(
        "This is not an Excel workbook or a text table. Save the staff list as .xlsx or .csv and upload it again."
    ),
    "unsupported_format:markup": gettext_lazy(
        "The file is a web page with an Excel name. Open it in Excel, choose “Save as”, Excel workbook (.xlsx)."
    ),
    "unsupported_format:xlsb": gettext_lazy(
        "Binary workbooks (.xlsb) cannot be read. Save the file as .xlsx."
    ),
    "unsupported_format:text_encoding": gettext_lazy(
        "The text of the file cannot be read. Save it as “CSV UTF-8” in Excel and upload it again."
    ),
    "corrupt": gettext_lazy(
        "The file is damaged and cannot be read. Open it in Excel, save it anew and upload it again."
    ),
    "corrupt:open_quote": gettext_lazy(
        "A quotation mark is never closed, so that rows run together. Correct it, or save the list as .xlsx."
    ),
    "corrupt:long_cell": gettext_lazy(
        "Row %(row)d holds a text of more than 32,767 characters; probably a quotation mark is not closed there."
    ),
    "too_large": gettext_lazy(
        "The file is too large to be read safely. Delete what does not belong to the list, or split it."
    ),
    "too_large:file": gettext_lazy(
        "The file is larger than %(megabytes)d MB. Remove pictures, or split the list."
    ),
    "too_large:rows": gettext_lazy("The list has more than %(rows)d rows. Split it into several files."),
    "too_large:far_cell": gettext_lazy(
        "A cell far outside the list makes the sheet huge. Copy the list alone into a new sheet and upload that."
    ),
    "unsafe_xml": gettext_lazy("The file holds instructions that no staff list needs and was not opened."),
    "no_header": gettext_lazy(
        "No header was found in the first %(within)d rows of any visible sheet: one row must name 姓名 (name) "
        "and 工号 (employee number) or 手机号 (mobile)."
    ),
    "no_header:in_sheet": gettext_lazy(
        "No header was found in the first %(within)d rows of the chosen sheet. Choose the header row by hand."
    ),
    "no_header:incomplete": gettext_lazy(
        "Row %(row)d does not say which columns hold the name and the employee number or mobile. "
        "Choose these columns by hand."
    ),
    "no_header:chosen_sheet": gettext_lazy("The file has no visible sheet “%(sheet)s”. Choose another one."),
    "no_header:chosen_row": gettext_lazy("Row %(row)d of the sheet is blank. Choose another header row."),
    "no_header:chosen_columns": gettext_lazy(
        "A chosen column does not exist in the sheet. Choose the columns again."
    ),
    "no_header:chosen_twice": gettext_lazy(
        "One column was chosen for two different things. Choose the columns again."
    ),
}

_REJECTIONS |= {
    "failed": gettext_lazy(
        "The import failed three times and was given up. Nothing was changed. Check it again, or ask the operator."
    ),
}

_NOTES = {
    "encoding": gettext_lazy("The text was read as %(encoding)s."),
    "other_sheet": gettext_lazy("The sheet “%(sheet)s” also looks like a staff list and was not read."),
    "ignored_column": gettext_lazy("Column %(column)s (%(heading)s) is not used."),
    "doubled_column": gettext_lazy(
        "Column %(column)s (%(heading)s) means the same as an earlier one and is not used."
    ),
    "no_data_rows": gettext_lazy("There is a header and nobody below it."),
}


def of_issue(issue: Issue) -> str:
    """One sentence for one issue, beginning with its row."""
    values: Params = {**issue.params, "row": issue.row}
    if issue.code == "invalid_mobile" and "count" in issue.params:
        return _mobile_length(issue.params["why"] == "short", int(issue.params["count"]), issue.row)
    if issue.field:
        values["field"] = str(FIELD_LABELS.get(issue.field, issue.field))
    sentence = _ISSUES.get(f"{issue.code}:{issue.params.get('why')}") or _ISSUES[issue.code]
    return str(sentence) % values


def _mobile_length(is_short: bool, count: int, row: int) -> str:
    if is_short:
        sentence = ngettext(
            "Row %(row)d: the mobile number is %(count)d digit short.",
            "Row %(row)d: the mobile number is %(count)d digits short.",
            count,
        )
    else:
        sentence = ngettext(
            "Row %(row)d: the mobile number has %(count)d digit too many.",
            "Row %(row)d: the mobile number has %(count)d digits too many.",
            count,
        )
    return sentence % {"row": row, "count": count}


def of_note(note: Note) -> str:
    """One sentence about the whole file."""
    if note.code == "hidden_rows":
        count = int(note.params["count"])
        return ngettext("%(count)d hidden row is included.", "%(count)d hidden rows are included.", count) % {
            "count": count
        }
    if note.code == "hidden_rows_left_out":
        count = int(note.params["count"])
        return ngettext("%(count)d hidden row is left out.", "%(count)d hidden rows are left out.", count) % {
            "count": count
        }
    return str(_NOTES[note.code]) % note.params


def of_rejection(checked: Checked) -> str:
    """Why the file was not used, and what to do about it."""
    code, reason = checked.reject_code or "corrupt", checked.reject_reason
    sentence = _REJECTIONS.get(f"{code}:{reason}") or _REJECTIONS[code]
    return str(sentence) % {"rows": LIMITS.rows, "within": HEADER_WITHIN, **checked.reject_params}
