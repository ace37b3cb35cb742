"""What can go wrong with a roster import."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from tenants.errors import Conflict, Invalid, NotFound


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
