"""The forms of a roster import: the file, how it is read, and the yes to its plan."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from benefits.roster import fields, messages
from benefits.roster.models import RosterImport
from benefits.roster.plan import Mode
from benefits.roster.shapes import Column, SheetFound
from benefits.web.company.forms import CompanyForm

SEVERAL = ("department",)  # fields that may stand in several columns


class UploadForm(CompanyForm):
    """A staff list and what it stands for."""

    file = forms.FileField(
        label=_("Staff list"),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty. Choose the file that holds the staff list."),
        },
    )
    mode = forms.ChoiceField(
        label=_("This file holds"),
        initial=Mode.MERGE.value,
        widget=forms.RadioSelect,
        choices=[
            (Mode.MERGE.value, _("people to add or to change; everyone else stays")),
            (Mode.FULL.value, _("the whole staff; whoever is not in it leaves")),
        ],
    )

    @staticmethod
    def limit() -> str:
        """How large a file may be, for people."""
        return filesizeformat(settings.ROSTER_MAX_BYTES)


class ColumnsForm(CompanyForm):
    """Which sheet and header row, and which column holds what."""

    pick = forms.ChoiceField(required=False)
    without_hidden = forms.BooleanField(required=False, label=_("Leave hidden rows out"))
    remember = forms.BooleanField(
        required=False, initial=True, label=_("Remember corrected headings for this company’s next files")
    )

    def __init__(
        self, *args: Any, mapping: Mapping[str, Any], roster_import: RosterImport, **kwargs: Any
    ) -> None:
        sheets: Sequence[SheetFound] = mapping["sheets"]
        self.offered: Sequence[Column] = mapping["offered"]
        self.sheets = sheets
        self.current = _current(sheets, mapping["sheet"], mapping["header_row"])
        kwargs.setdefault("initial", {})
        kwargs["initial"] |= {
            "pick": self.current,
            "without_hidden": roster_import.choices.without_hidden,
            **{f"column-{column.letter}": column.field or "" for column in self.offered},
        }
        super().__init__(*args, **kwargs)
        names = [(field.name, messages.FIELD_LABELS[field.name]) for field in fields.FIELDS]
        for column in self.offered:
            self.fields[f"column-{column.letter}"] = forms.ChoiceField(
                label=_("Column %(letter)s") % {"letter": column.letter},
                choices=[("", _("not used")), *names],
                required=False,
            )
        pick: Any = self.fields["pick"]
        pick.choices = [
            (f"{index}:{row}", "")
            for index, sheet in enumerate(sheets)
            for row in {*range(1, len(sheet.top) + 1), sheet.header_row or 1}
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["table"] = self._table(str(data.get("pick") or ""))
        data["columns"] = None if data["table"] or not self.offered else self._columns(data)
        return data

    def _table(self, pick: str) -> tuple[str | None, int] | None:
        """The sheet and header row, where others were chosen than those in use."""
        if not pick or pick == self.current:
            return None
        index, _colon, row = pick.partition(":")
        return self.sheets[int(index)].name, int(row)

    def _columns(self, data: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        chosen: dict[str, tuple[int, ...]] = {column.field: () for column in self.offered if column.field}
        for column in self.offered:
            field = data.get(f"column-{column.letter}")
            if not field:
                continue
            if chosen.get(field) and field not in SEVERAL:
                self.add_error(
                    f"column-{column.letter}",
                    _("Two columns are chosen for %(field)s. Leave one of them unused.")
                    % {"field": messages.FIELD_LABELS[field]},
                )
            chosen[field] = (*chosen.get(field, ()), place_of(column.letter))
        if not chosen.get("name") or not (chosen.get("employee_no") or chosen.get("mobile")):
            self.add_error(
                None, _("Choose a column for the name, and one for the employee number or the mobile number.")
            )
        return chosen


def place_of(letter: str) -> int:
    """A column's place counted from 0: A is 0, AA is 26."""
    place = 0
    for char in letter:
        place = place * 26 + ord(char) - 64
    return place - 1


def _current(sheets: Sequence[SheetFound], sheet: str | None, header_row: int | None) -> str:
    for index, found in enumerate(sheets):
        if found.name == sheet and header_row:
            return f"{index}:{header_row}"
    return ""


class ConfirmForm(CompanyForm):
    """The plan that was looked at; where many would leave, their number typed; where rows are held back, what then."""

    GOOD, ALL = "good", "all"

    plan = forms.CharField(max_length=64, widget=forms.HiddenInput)
    rows = forms.ChoiceField(label=_("Rows with problems"), required=False, widget=forms.RadioSelect)
    leavers = forms.CharField(
        label=_("How many people leave by this?"),
        required=False,
        max_length=10,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, leavers: int, problems: int, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("rows", self.GOOD)
        super().__init__(*args, **kwargs)
        self._leavers = leavers
        rows: Any = self.fields["rows"]
        rows.choices = [
            (
                self.GOOD,
                ngettext_lazy(
                    "apply the good rows now; %(n)d row stays out",
                    "apply the good rows now; %(n)d rows stay out",
                    problems,
                )
                % {"n": problems},
            ),
            (self.ALL, _("all rows or none: nothing happens until every row is right")),
        ]

    def clean_leavers(self) -> int | None:
        typed = str(self.cleaned_data["leavers"]).strip()
        if self._leavers and typed != str(self._leavers):
            raise forms.ValidationError(
                _("So many would leave that their number has to be typed: %(number)d."),
                params={"number": self._leavers},
            )
        return int(typed) if typed.isascii() and typed.isdigit() else None
