"""What can go wrong with a roster import."""

from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Invalid, NotFound, TooMany


class RosterTooLarge(Invalid):
    """The upload is larger than the limit."""

    code = "roster_too_large"
    message = _("The file is larger than %(megabytes)d MB. Remove pictures, or split the list.")

    def __init__(self, *, megabytes: int) -> None:
        super().__init__(megabytes=megabytes)


class RosterRejected(Invalid):
    """The file is no roster that can be read; `reject_code` says why."""

    code = "roster_rejected"
    message = "%(reason)s"

    def __init__(self, *, reject_code: str, reason: str) -> None:
        super().__init__(reject_code=reject_code, reason=reason)


class ImportNotFound(NotFound):
    """No roster import has this number in this company."""

    code = "roster_import_not_found"
    message = _("There is no such roster import.")


class RosterChanged(Conflict):
    """The roster is no longer what the plan was made for; a new plan has been made."""

    code = "roster_changed"
    message = _("The roster has changed since this plan was made. Look at the new plan and confirm again.")

    def __init__(self, *, plan_digest: str) -> None:
        super().__init__(plan_digest=plan_digest)


class RowsHeldBack(Conflict):
    """All rows or none was asked for, and some rows have problems."""

    code = "roster_rows_held_back"
    message = _(
        "%(rows)d rows have problems, so nothing was applied. Correct them, or apply the good rows alone."
    )

    def __init__(self, *, rows: int) -> None:
        super().__init__(rows=rows)


class BeingWorkedOn(Conflict):
    """Another worker is busy with this import."""

    code = "roster_import_busy"
    message = _("This import is being worked on since %(since)s. Wait for it to finish.")

    def __init__(self, *, since: datetime | None) -> None:
        super().__init__(since=since)


class FileChanged(Conflict):
    """The stored file is not the one that was uploaded."""

    code = "roster_file_changed"
    message = _("The stored file is damaged. Upload it again.")


class TooManyUploads(TooMany):
    """More files in a minute than one company may upload."""

    code = "roster_too_many_uploads"
    message = _("More than %(limit)d files were uploaded within a minute. Wait a minute and try again.")

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=limit)


class ExportedTooOften(TooMany):
    """One person exported employees more often within an hour than their work needs."""

    code = "employees_exported_too_often"
    message = _("You exported employees %(limit)d times within an hour. Wait a while, then export again.")

    def __init__(self, *, limit: int) -> None:
        super().__init__(limit=limit)


class RepairRefused(Invalid):
    """There is no such row or field to correct, or the text cannot be one cell's."""

    code = "roster_repair_refused"
    message = _("Row %(row)d, column “%(field)s” cannot be corrected here. Reload the page.")

    def __init__(self, *, row: int, field: str) -> None:
        super().__init__(row=row, field=field)


class TooManyRepairs(Invalid):
    """More cells than can be corrected one by one."""

    code = "roster_too_many_repairs"
    message = _(
        "At most %(most)d cells can be corrected here. Download the marked workbook, correct them in Excel and upload it."
    )

    def __init__(self, *, most: int) -> None:
        super().__init__(most=most)


class NeedsCheck(Conflict):
    """Corrections were typed since the plan was made."""

    code = "roster_needs_check"
    message = _("Corrections were typed since this was checked. Check again, look at the result and confirm.")


class TooManyLeavers(Conflict):
    """So large a part of the staff would leave that the number has to be typed."""

    code = "roster_too_many_leavers"
    message = _(
        "%(leaving)d of %(active)d active employees would leave, which is more than %(share)d %%. "
        "Type that number to confirm that it is meant."
    )

    def __init__(self, *, leaving: int, active: int, share: int) -> None:
        super().__init__(leaving=leaving, active=active, share=share)


class PlanTooOld(Conflict):
    """The plan was made more than a day ago."""

    code = "roster_plan_too_old"
    message = _(
        "This was checked more than %(hours)d hours ago. Check again, look at the result and confirm."
    )

    def __init__(self, *, hours: int) -> None:
        super().__init__(hours=hours)


class UndoRefused(Conflict):
    """This import can no longer be undone; `reason` says why."""

    code = "roster_undo_refused"
    message = "%(text)s"
    reasons: ClassVar[dict[str, Any]] = {
        "not_latest": _("A later import was applied. Only the latest one can be undone."),
        "too_late": _("An import can be undone for %(days)d days, and that time is over."),
        "forgotten": _("What the import changed is no longer kept, so it cannot be undone."),
    }

    def __init__(self, *, reason: str, days: int) -> None:
        super().__init__(reason=reason, text=str(self.reasons[reason]) % {"days": days})
