"""Who may do how much alone, and who may approve it: the table of limits, read once and asked many times."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from benefits.approvals.models import ApprovalLimit
from tenants.identity.roles import Role

ANY_FEN = 2**63 - 1  # more than any amount
ASKERS = frozenset({Role.HR, Role.ADMIN})  # who moves value at all
DECIDERS = (Role.HR, Role.APPROVER, Role.FINANCE, Role.ADMIN)  # who may be given a limit
APPROVERS = frozenset({Role.APPROVER, Role.ADMIN})  # who approves any amount until a limit says otherwise


@dataclass(frozen=True)
class Limit:
    """What one role does alone and approves, in fen; None is any amount, 0 nothing."""

    alone_fen: int | None
    approves_fen: int | None


@dataclass(frozen=True)
class Limits:
    """All limits of a company by kind and role. Of several roles the largest limit counts."""

    rows: Mapping[str, Mapping[str, Limit]]

    def is_limited(self, kind: str) -> bool:
        """Whether anything of this kind may need a second person."""
        return bool(self.rows.get(kind))

    def alone_fen(self, kind: str, roles: Collection[str]) -> int:
        """The most that a person of these roles does alone; a role without a row does nothing of a limited kind."""
        if not self.is_limited(kind):
            return ANY_FEN
        limits = self.rows[kind]
        return max((_fen(limits[role].alone_fen) for role in roles if role in limits), default=0)

    def approves_fen(self, kind: str, roles: Collection[str]) -> int:
        """The most that a person of these roles approves; approvers and administrators any amount unless set."""
        limits = self.rows.get(kind, {})
        set_here = [_fen(limits[role].approves_fen) for role in roles if role in limits]
        if any(role in APPROVERS and role not in limits for role in roles):
            return ANY_FEN
        return max(set_here, default=0)

    def does_alone(self, kind: str, roles: Collection[str], fen: int) -> bool:
        """Whether these roles need nobody else for this; a limit of 0 allows nothing, not even what costs nothing."""
        return _covers(self.alone_fen(kind, roles), fen)

    def approves(self, kind: str, roles: Collection[str], fen: int) -> bool:
        """Whether these roles may approve this for somebody else."""
        return _covers(self.approves_fen(kind, roles), fen)


def _fen(limit: int | None) -> int:
    return ANY_FEN if limit is None else limit


def _covers(limit_fen: int, fen: int) -> bool:
    return limit_fen > 0 and fen <= limit_fen


def read() -> Limits:
    """The company's limits as they stand."""
    rows: dict[str, dict[str, Limit]] = {}
    for row in ApprovalLimit.objects.all():
        rows.setdefault(row.kind, {})[row.role] = Limit(row.alone_fen, row.approves_fen)
    return Limits(rows)
