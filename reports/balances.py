"""What any account of a company held at any past instant, counted from its postings; amounts in fen.

Accounts are named "funds", "held", "delivered", "allotted", "lapsed", "budget:3" and "wallet:A00123".
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _

from reports.errors import NoSuchAccount, NotAnInstant
from tenants.db import connection

SHOWN = 50

# The company's own accounts, as people choose them.
OWN = {
    "funds": _("Funds at the platform"),
    "allotted": _("Being handed out"),
    "held": _("Orders in process"),
    "delivered": _("Delivered benefits"),
    "lapsed": _("Lapsed points"),
}

_FUNDS_MOVES = """
SELECT e.at, e.kind, e.reference, e.fen, e.id FROM public.funds_fundsentry e
JOIN public.funds_fundsaccount a ON a.id = e.account_id WHERE a.company = current_schema() AND e.at <= %(at)s
"""
_MOVES = """
SELECT p.at, p.kind, p.reference, CASE WHEN p.destination_id = %(id)s THEN p.fen ELSE -p.fen END, p.id
FROM points_posting p WHERE %(id)s IN (p.source_id, p.destination_id) AND p.at <= %(at)s
"""
_FOUND = {
    "budget": "SELECT b.account_id, b.name FROM points_budget b WHERE b.id::text = %s",
    "wallet": """SELECT a.id, e.employee_no || ' ' || e.name FROM people_employee e
        JOIN points_account a ON a.employee_id = e.id WHERE e.employee_no = %s""",
}


@dataclass(frozen=True)
class Move:
    """One posting of the account, signed, and what the account held after it."""

    at: datetime
    kind: str
    reference: str
    fen: int
    balance_fen: int


@dataclass(frozen=True)
class Balance:
    """What an account held at an instant, and the moves that led there, the latest first."""

    account: str
    title: Any
    at: datetime
    fen: int
    moves: tuple[Move, ...]
    count: int

    def as_json(self) -> dict[str, Any]:
        """Plain values for a program."""
        moves = [{**vars(move), "at": move.at.isoformat()} for move in self.moves]
        return {**vars(self), "title": str(self.title), "at": self.at.isoformat(), "moves": moves}


def instant_of(text: str) -> datetime:
    """An instant as people type it, in the product's time zone; a day alone means its end. Raises NotAnInstant."""
    try:
        found: datetime | date | None = parse_date(text) or parse_datetime(text)
        if found is None:
            raise NotAnInstant(text=text)
        whole = found if isinstance(found, datetime) else datetime.combine(found, time.max)
        return whole if timezone.is_aware(whole) else timezone.make_aware(whole)
    except (ValueError, OverflowError) as error:
        raise NotAnInstant(text=text) from error


def balance_at(*, account: str, at: datetime) -> Balance:
    """What an account of the current company held at an instant, that instant's own moves included.

    Raises NoSuchAccount.
    """
    with connection.cursor() as cursor:
        title, sql, facts = _account(cursor, account.strip())
        cursor.execute(
            f"""SELECT m.*, (sum(m.fen) OVER (ORDER BY m.at, m.id))::bigint AS balance, count(*) OVER ()
                FROM ({sql}) AS m(at, kind, reference, fen, id) ORDER BY m.at DESC, m.id DESC LIMIT {SHOWN}""",
            {**facts, "at": at},
        )
        rows = cursor.fetchall()
    moves = tuple(Move(when, kind, ref, int(fen), balance) for when, kind, ref, fen, _pk, balance, _n in rows)
    return Balance(
        account=account.strip(),
        title=title,
        at=at,
        fen=moves[0].balance_fen if moves else 0,
        moves=moves,
        count=rows[0][-1] if rows else 0,
    )


def _account(cursor: Any, account: str) -> tuple[Any, str, dict[str, int]]:
    """Its title, the SQL of its moves, and what that needs to know."""
    if account == "funds":
        return OWN[account], _FUNDS_MOVES, {}
    kind, _colon, key = account.partition(":")
    if account in OWN:
        cursor.execute("SELECT id, kind FROM points_account WHERE kind = %s", [account])
    elif kind in _FOUND and key and "\0" not in key:
        cursor.execute(_FOUND[kind], [key])
    else:
        raise NoSuchAccount(account=account)
    found = cursor.fetchone()
    if found is None:
        raise NoSuchAccount(account=account)
    return OWN.get(account, found[1]), _MOVES, {"id": found[0]}
