"""The form of a rule: who, on which occasion, how much, valid until when. It checks shapes; the definition decides."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from benefits import money
from benefits.campaigns.definition import MOST_DAYS, MOST_MONTHS, Amount, Audience, Definition
from benefits.campaigns.errors import InvalidRule
from benefits.campaigns.occasions import MOST_DAYS_BEFORE
from benefits.people import departments as departments_of
from benefits.points.models import Budget
from benefits.roster import lists
from benefits.web.company import shown
from benefits.web.company.forms import CompanyForm
from benefits.web.company.rule_parts import (
    ALL,
    BY_GRADE,
    BY_YEARS,
    DATE,
    DATE_INPUT,
    DAYS,
    FIELD_OF_PATH,
    KINDS,
    LIST,
    MONTHS,
    NEVER,
    SAME,
    SOME,
    STAGES,
    STEPS,
    distinct,
    expiry_of,
    festivals_ahead,
    grade_field,
    occasion_of,
    unknown_numbers,
)
from tenants.errors import DomainError

LIST_BYTES = 5_000_000


def _amount_input() -> forms.TextInput:
    return forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})


class RuleForm(CompanyForm):
    """A rule as it is typed. `parts` gives what its definition is made of."""

    name = forms.CharField(
        label=pgettext_lazy("rule", "Name"),
        max_length=80,
        help_text=_("Employees see it in their wallets as the reason."),
    )
    budget = forms.ModelChoiceField(label=_("From budget"), queryset=Budget.objects.none(), empty_label=None)

    whom = forms.ChoiceField(
        label=pgettext_lazy("grant", "To"),
        initial=ALL,
        widget=forms.RadioSelect,
        choices=[
            (ALL, _("everyone on the roster")),
            (SOME, _("those whom all conditions below fit")),
            (LIST, _("a list of employee numbers")),
        ],
    )
    departments = forms.MultipleChoiceField(label=_("Departments"), required=False)
    grades = forms.MultipleChoiceField(label=_("Grades"), required=False, widget=forms.CheckboxSelectMultiple)
    cities = forms.MultipleChoiceField(label=_("Cities"), required=False, widget=forms.CheckboxSelectMultiple)
    months_from = forms.IntegerField(
        label=_("With the company for at least (months)"),
        required=False,
        min_value=0,
        max_value=MOST_MONTHS,
        help_text=_("Whole months on the day of the grant."),
    )
    months_to = forms.IntegerField(
        label=_("and at most (months)"), required=False, min_value=0, max_value=MOST_MONTHS
    )
    stage = forms.ChoiceField(label=_("Probation"), required=False, choices=STAGES)
    listing = forms.CharField(
        label=_("Employee numbers"),
        required=False,
        strip=False,
        max_length=2_000_000,
        widget=forms.Textarea({"rows": 6, "spellcheck": "false"}),
        help_text=_("One a line. Points of their own may follow after a comma or tab: A001, 500."),
    )
    file = forms.FileField(
        label=_("or a file"),
        required=False,
        help_text=_(
            "Excel or CSV with the columns 工号 (employee number) and, where they differ, 积分 (points)."
        ),
    )

    kind = forms.ChoiceField(
        label=pgettext_lazy("rule", "When"), initial="once", widget=forms.RadioSelect, choices=KINDS
    )
    day = forms.IntegerField(
        label=_("On day"),
        required=False,
        min_value=1,
        max_value=31,
        help_text=_("Where a month is shorter, on its last day."),
    )
    months = forms.TypedMultipleChoiceField(
        label=_("Only in these months"),
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing ticked: in every month."),
    )
    years = forms.CharField(
        label=_("After years"),
        required=False,
        max_length=80,
        help_text=_("Like 1, 3, 5, 10. Empty: every year."),
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    festival = forms.ChoiceField(label=_("Festival"), required=False)
    days_before = forms.IntegerField(
        label=_("Days before"),
        required=False,
        min_value=0,
        max_value=MOST_DAYS_BEFORE,
        help_text=_("0 to 90. Empty: on the day itself."),
    )

    how = forms.ChoiceField(
        label=pgettext_lazy("rule", "How much"),
        initial=SAME,
        widget=forms.RadioSelect,
        choices=[
            (SAME, _("the same for all")),
            (BY_GRADE, _("by grade")),
            (BY_YEARS, _("by years with the company")),
        ],
    )
    points = forms.CharField(
        label=_("For each"),
        required=False,
        max_length=20,
        widget=_amount_input(),
        help_text=_("By grade or by years: for all others. Empty: they get nothing."),
    )
    prorate = forms.BooleanField(
        label=_("Who joins within the month gets the share of its remaining days"), required=False
    )

    until = forms.ChoiceField(
        label=_("Points expire"),
        initial=NEVER,
        widget=forms.RadioSelect,
        choices=[
            (NEVER, pgettext_lazy("expiry", "never")),
            (DATE, _("after a date")),
            (DAYS, _("some days after the grant")),
            (MONTHS, _("some months after the grant")),
        ],
    )
    until_date = forms.DateField(
        label=_("Last day of validity"), required=False, widget=forms.DateInput(DATE_INPUT, "%Y-%m-%d")
    )
    until_days = forms.IntegerField(
        label=_("Valid for days"), required=False, min_value=1, max_value=MOST_DAYS
    )
    until_months = forms.IntegerField(label=_("Valid for months"), required=False, min_value=1, max_value=120)

    def __init__(self, *args: Any, known: Definition | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.listed: tuple[tuple[str, int | None], ...] = ()
        self.meaning: Definition | None = None
        field: Any = self.fields["budget"]
        field.queryset = Budget.objects.filter(
            status=Budget.Status.OPEN, purpose=Budget.Purpose.COMPANY
        ).select_related("account")
        show = shown.amounts(self.company)
        field.label_from_instance = lambda budget: (
            _("%(name)s, %(left)s left")
            % {"name": budget.name, "left": show.with_unit(budget.account.balance_fen or 0)}
        )
        departments: Any = self.fields["departments"]
        paths = {node.path for _depth, node in departments_of.flat(departments_of.tree())}
        who = known.audience if known else Audience()
        departments.choices = [
            (path, path) for path in sorted(paths | set(who.departments), key=lambda path: path.split("/"))
        ]
        departments.widget.attrs["size"] = min(8, max(3, len(departments.choices)))
        much = known.amount if known else Amount()
        self.steps = max(STEPS, len(much.by_years) + 1)
        self.grade_names = distinct("grade", (*much.by_grade, *who.grades))
        self._choose("grades", self.grade_names)
        self._choose("cities", distinct("city", who.cities))
        months: Any = self.fields["months"]
        months.choices = [(month, date_format(date(2026, month, 1), "M")) for month in range(1, 13)]
        festivals: Any = self.fields["festival"]
        festivals.choices = festivals_ahead(timezone.localdate())
        for grade in self.grade_names:
            self.fields[grade_field(grade)] = forms.CharField(
                label=grade, required=False, max_length=20, widget=_amount_input()
            )
        for place in range(self.steps):
            self.fields[f"from_{place}"] = forms.IntegerField(
                label=_("From years"), required=False, min_value=0, max_value=60
            )
            self.fields[f"points_{place}"] = forms.CharField(
                label=_("For each"), required=False, max_length=20, widget=_amount_input()
            )

    def _choose(self, name: str, values: list[str]) -> None:
        field: Any = self.fields[name]
        field.choices = [(value, value) for value in values]

    def grade_fields(self) -> list[Any]:
        """The amounts by grade, to be drawn one below the other."""
        return [self[grade_field(grade)] for grade in self.grade_names]

    def step_fields(self) -> list[tuple[Any, Any]]:
        """The amounts by years: from how many years, and how much."""
        return [(self[f"from_{place}"], self[f"points_{place}"]) for place in range(self.steps)]

    def clean_years(self) -> tuple[int, ...]:
        text = self.cleaned_data["years"].strip()
        found = [part for part in re.split(r"[\s,，、;；]+", text) if part]
        if any(not part.isascii() or not part.isdecimal() or not 1 <= int(part[:9]) <= 60 for part in found):
            raise forms.ValidationError(_("Write whole years from 1 to 60, like 1, 3, 5, 10."))
        return tuple(sorted({int(part) for part in found}))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > LIST_BYTES:
            raise forms.ValidationError(_("The file is larger than 5 MB. Keep the list alone in it."))
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in self._amount_fields(data):
            try:
                data[name] = self._fen(data.get(name) or "")
            except DomainError as error:
                self.add_error(name, str(error))
        self._check_whom(data)
        self._check_when(data)
        self._check_amount(data)
        self._check_until(data)
        if not self.errors:
            self._read(data)
        return data

    def said(self) -> dict[str, Any]:
        """What a rule is made of, once the form is valid: its name, budget and definition."""
        if self.meaning is None:
            raise ValueError("the form is not valid")
        data = self.cleaned_data
        return {"name": data["name"], "budget": data["budget"], "definition": self.meaning}

    def _read(self, data: dict[str, Any]) -> None:
        """The definition has the last word; what it refuses stands at the field it is about."""
        parts = {
            "audience": self._audience(data),
            "occasion": occasion_of(data),
            "amount": self._amount(data),
            "expiry": expiry_of(data),
        }
        try:
            self.meaning = Definition.of_json(parts)
        except InvalidRule as error:
            name = FIELD_OF_PATH.get(error.field, error.field.rsplit(".", 1)[-1])
            self.add_error(name if name in self.fields else None, error.details["problem"])

    def _audience(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["whom"] == LIST:
            return {"numbers": self.listed}
        if data["whom"] == ALL:
            return {"everyone": True}
        names = ("departments", "grades", "cities", "months_from", "months_to", "stage")
        return {name: data[name] for name in names}

    def _amount(self, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "fen": data.get("points") or 0,
            "by_grade": self.by_grade(data) if data["how"] == BY_GRADE else {},
            "by_years": self.by_years(data) if data["how"] == BY_YEARS else {},
            "prorate": bool(data["prorate"]) and data["kind"] == "monthly",
        }

    def _fen(self, text: str) -> int:
        """Points as typed in fen; 0 for nothing."""
        plain = text.strip().replace(",", "").replace("，", "")
        return money.parse_points(plain, self.company.points_per_yuan) if plain else 0

    def _amount_fields(self, data: dict[str, Any]) -> Iterator[str]:
        """The amounts that the chosen way needs; what stands in the others is left alone."""
        how = data.get("how")
        if how == BY_GRADE:
            yield from (grade_field(grade) for grade in self.grade_names)
        elif how == BY_YEARS:
            yield from (f"points_{place}" for place in range(self.steps))
        yield "points"

    def _check_whom(self, data: dict[str, Any]) -> None:
        least, most = data.get("months_from"), data.get("months_to")
        if data.get("whom") == SOME:
            if least is not None and most is not None and most < least:
                self.add_error("months_to", _("This is less than the months it begins with."))
            given = (data.get(name) for name in ("departments", "grades", "cities", "stage"))
            wrong = {"departments", "grades", "cities", "stage", "months_from", "months_to"} & set(
                self.errors
            )
            if not any(given) and least is None and most is None and not wrong:
                self.add_error("whom", _("Give at least one condition, or choose everyone."))
        if data.get("whom") == LIST and not {"listing", "file"} & set(self.errors):
            self._check_list(data)

    def _check_list(self, data: dict[str, Any]) -> None:
        if not (data.get("listing", "").strip() or data.get("file")):
            self.add_error("listing", _("Type or paste employee numbers, or choose a file."))
            return
        try:
            rows = lists.of_upload(data["file"]) if data.get("file") else lists.of_text(data["listing"])
            self.listed = tuple(
                (number, None if points is None else self._fen(lists.plain(points)))
                for _row, number, points in rows
            )
        except DomainError as error:
            self.add_error("listing", str(error))
            return
        if not self.listed:
            self.add_error("listing", _("The list holds no employee number."))
        elif unknown := unknown_numbers([number for number, _fen in self.listed]):
            self.add_error(
                "listing",
                ngettext_lazy(
                    "No active employee has this number: %(numbers)s.",
                    "No active employees have these numbers: %(numbers)s.",
                    len(unknown),
                )
                % {"numbers": shown.joined([*unknown[:10], *(["…"] if len(unknown) > 10 else [])])},
            )

    def _check_when(self, data: dict[str, Any]) -> None:
        if data.get("kind") == "monthly" and data.get("day") is None and "day" not in self.errors:
            self.add_error("day", _("Say on which day of the month."))
        if data.get("kind") == "festival" and not data.get("festival") and "festival" not in self.errors:
            self.add_error("festival", _("Choose a festival."))

    def _check_amount(self, data: dict[str, Any]) -> None:
        how = data.get("how")
        everyone_has_own = data.get("whom") == LIST and self.listed and all(fen for _no, fen in self.listed)
        if how == SAME and not data.get("points") and "points" not in self.errors and not everyone_has_own:
            self.add_error("points", _("Say how many points each one gets."))
        if how == BY_GRADE and not self.by_grade(data) and not self._has_error("grade_"):
            self.add_error("how", _("Give at least one grade an amount."))
        if how == BY_YEARS:
            self._check_steps(data)

    def _check_steps(self, data: dict[str, Any]) -> None:
        years = [data.get(f"from_{place}") for place in range(self.steps)]
        for place, year in enumerate(years):
            fen = data.get(f"points_{place}")
            if year is None and fen and f"from_{place}" not in self.errors:
                self.add_error(f"from_{place}", _("Say from how many years on."))
            if year is not None and not fen and f"points_{place}" not in self.errors:
                self.add_error(f"points_{place}", _("Say how many points each one gets."))
            if year is not None and year in years[:place]:
                self.add_error(f"from_{place}", _("These years are here twice."))
        if not self.by_years(data) and not self._has_error("from_") and not self._has_error("points_"):
            self.add_error("how", _("Give at least one number of years an amount."))

    def _has_error(self, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in self.errors)

    def _check_until(self, data: dict[str, Any]) -> None:
        until, name = data.get("until"), f"until_{data.get('until')}"
        if until in (DATE, DAYS, MONTHS) and data.get(name) is None and name not in self.errors:
            said = _("Choose the last day.") if until == DATE else _("Say for how long.")
            self.add_error(name, said)
        if until == DATE and (last := data.get(name)) and last < timezone.localdate():
            self.add_error(name, _("This day is over. Choose a later one."))

    def by_grade(self, data: dict[str, Any]) -> dict[str, int]:
        """Fen of each grade that was given an amount."""
        found = {grade: data.get(grade_field(grade)) for grade in self.grade_names}
        return {grade: fen for grade, fen in found.items() if isinstance(fen, int) and fen}

    def by_years(self, data: dict[str, Any]) -> dict[int, int]:
        """Fen from so many years of seniority on."""
        found = {data.get(f"from_{place}"): data.get(f"points_{place}") for place in range(self.steps)}
        return {year: fen for year, fen in found.items() if year is not None and isinstance(fen, int) and fen}
