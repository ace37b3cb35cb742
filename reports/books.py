"""What must be true of the books: for every promise that a query can check, a query that finds what breaks it.

Each check is SQL, or where SQL is not enough a function, that returns one text a violation. Company checks run with the company's schema in front.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django_tenants.utils import schema_context

from benefits.journal import checking
from benefits.points.queries import GOODWILL_PARTS
from tenants.db import connection
from tenants.models import Company


@dataclass(frozen=True)
class Check:
    """One query; every row it returns is a violation of the promise. A function is asked with the time of the look."""

    promise: int
    name: str
    query: str | Callable[[datetime | None], list[str]]


@dataclass(frozen=True)
class Violation:
    """What was found: the promise's number in docs/promises.md, where, and what."""

    promise: int
    company: str
    check: str
    detail: str


def _journal(at: datetime | None) -> list[str]:
    return checking.flaws()


def _unsealed(at: datetime | None) -> list[str]:
    return checking.unsealed(at) if at else []


COMPANY_CHECKS = [
    Check(1, "balances_follow_from_postings", """
        SELECT 'account ' || a.id || ' stores ' || a.balance_fen || ', postings say ' || s.fen FROM points_account a
        CROSS JOIN LATERAL (SELECT coalesce(sum(CASE WHEN p.destination_id = a.id THEN p.fen ELSE -p.fen END), 0) AS fen
            FROM points_posting p WHERE a.id IN (p.source_id, p.destination_id)) s
        WHERE a.balance_fen IS NOT NULL AND a.balance_fen <> s.fen"""),
    Check(1, "nothing_below_zero", """
        SELECT 'account ' || id || ' holds ' || balance_fen FROM points_account WHERE balance_fen < 0
        UNION ALL SELECT 'lot ' || id || ' holds ' || remaining_fen FROM points_lot WHERE remaining_fen < 0"""),
    Check(1, "lots_follow_from_entries", """
        SELECT 'lot ' || l.id || ' stores ' || l.remaining_fen || ', entries say ' || coalesce(sum(e.fen), 0)
        FROM points_lot l LEFT JOIN points_lotentry e ON e.lot_id = l.id GROUP BY l.id
        HAVING l.remaining_fen <> coalesce(sum(e.fen), 0)"""),
    Check(1, "wallets_are_their_lots", """
        SELECT 'wallet ' || a.id || ' holds ' || a.balance_fen || ', its lots ' || coalesce(sum(l.remaining_fen), 0)
        FROM points_account a LEFT JOIN points_lot l ON l.wallet_id = a.id WHERE a.kind = 'wallet' GROUP BY a.id
        HAVING a.balance_fen <> coalesce(sum(l.remaining_fen), 0)"""),
    Check(1, "loads_were_funded", """
        SELECT coalesce(p.reference, f.reference) || ': ' || coalesce(p.fen, 0) || ' in budgets, '
            || coalesce(f.fen, 0) || ' from funds'
        FROM (SELECT reference, CASE kind WHEN 'load' THEN fen ELSE -fen END AS fen FROM points_posting
                WHERE kind IN ('load', 'unload')) p
        FULL JOIN (SELECT e.reference, -e.fen AS fen FROM public.funds_fundsentry e
                JOIN public.funds_fundsaccount a ON a.id = e.account_id
                WHERE a.company = current_schema() AND e.kind IN ('load', 'return')) f ON f.reference = p.reference
        WHERE p.fen IS DISTINCT FROM f.fen"""),
    Check(1, "grants_are_their_lots", """
        SELECT 'grant ' || g.id || ' gave ' || g.total_fen || ' to ' || g.employees || ', its lots say '
            || coalesce(sum(l.granted_fen), 0) || ' to ' || count(l.id)
        FROM points_grant g LEFT JOIN points_lot l ON l.grant_id = g.id GROUP BY g.id
        HAVING CASE g.status WHEN 'running' THEN coalesce(sum(l.granted_fen), 0) > g.total_fen OR count(l.id) > g.employees
            ELSE (g.total_fen, g.employees) IS DISTINCT FROM (coalesce(sum(l.granted_fen), 0), count(l.id)) END"""),
    Check(1, "lots_were_granted", """
        SELECT 'lot ' || l.id || ' was granted ' || l.granted_fen || ', its posting moved ' || coalesce(p.fen, 0)
        FROM points_lot l LEFT JOIN points_posting p ON p.kind = 'grant' AND p.destination_id = l.wallet_id
            AND p.reference = 'grant:' || l.grant_id || ':' || l.wallet_id
        WHERE p.fen IS DISTINCT FROM l.granted_fen"""),
    Check(1, "lot_entries_are_their_posting", """
        SELECT p.reference || ' moved ' || p.fen || ' of a wallet, its lots ' || coalesce(sum(e.fen), 0)
        FROM points_posting p JOIN points_account s ON s.id = p.source_id JOIN points_account d ON d.id = p.destination_id
        LEFT JOIN points_lotentry e ON e.posting_id = p.id WHERE 'wallet' IN (s.kind, d.kind) GROUP BY p.id, s.kind
        HAVING coalesce(sum(e.fen), 0) <> CASE s.kind WHEN 'wallet' THEN -p.fen ELSE p.fen END"""),
    Check(1, "budgets_add_up", """
        WITH came AS (
            SELECT b.id AS budget, coalesce(sum(CASE WHEN p.destination_id = b.account_id THEN p.fen ELSE -p.fen END), 0) AS fen
            FROM points_budget b LEFT JOIN (points_posting p LEFT JOIN points_posting o ON o.id = p.reverses_id)
                ON b.account_id IN (p.source_id, p.destination_id)
                AND coalesce(o.kind, p.kind) IN ('load', 'unload', 'move', 'goodwill', 'recover')
            GROUP BY b.id
        ), lots AS (
            SELECT budget_id AS budget, sum(remaining_fen) AS fen FROM points_lot GROUP BY 1
        ), gone AS (
            SELECT l.budget_id AS budget, -sum(e.fen) AS fen FROM points_lotentry e JOIN points_lot l ON l.id = e.lot_id
            JOIN points_posting p ON p.id = e.posting_id LEFT JOIN points_posting o ON o.id = p.reverses_id
            WHERE coalesce(o.kind, p.kind) IN ('redeem', 'refund', 'lapse', 'recover') GROUP BY 1
        ), handing_out AS (
            SELECT g.budget_id AS budget, sum(g.total_fen - coalesce((SELECT sum(l.granted_fen) FROM points_lot l
                WHERE l.grant_id = g.id), 0)) AS fen
            FROM points_grant g WHERE g.status = 'running' GROUP BY 1)
        SELECT 'budget ' || b.id || ' was given ' || c.fen || ', and holds or gave on '
            || a.balance_fen + coalesce(l.fen, 0) + coalesce(g.fen, 0) + coalesce(h.fen, 0)
        FROM points_budget b JOIN points_account a ON a.id = b.account_id JOIN came c ON c.budget = b.id
        LEFT JOIN lots l ON l.budget = b.id LEFT JOIN gone g ON g.budget = b.id LEFT JOIN handing_out h ON h.budget = b.id
        WHERE c.fen <> a.balance_fen + coalesce(l.fen, 0) + coalesce(g.fen, 0) + coalesce(h.fen, 0)"""),
    Check(1, "set_aside_is_being_handed_out", """
        SELECT 'set aside ' || a.balance_fen || ', running grants have ' || r.fen || ' to hand out' FROM points_account a
        CROSS JOIN (SELECT coalesce(sum(g.total_fen - coalesce((SELECT sum(l.granted_fen) FROM points_lot l
                WHERE l.grant_id = g.id), 0)), 0) AS fen FROM points_grant g WHERE g.status = 'running') r
        WHERE a.kind = 'allotted' AND a.balance_fen <> r.fen"""),
    Check(2, "reversals_mirror", """
        SELECT r.reference || ' does not mirror posting ' || p.id FROM points_posting r
        JOIN points_posting p ON p.id = r.reverses_id
        WHERE (r.fen, r.source_id, r.destination_id) IS DISTINCT FROM (p.fen, p.destination_id, p.source_id)"""),
    Check(2, "final_rows_are_guarded", """
        SELECT t.name || ' is not guarded' FROM (VALUES ('points_posting'), ('points_lotentry'), ('points_lotextension'),
            ('identity_auditevent'), ('campaigns_ruleversion'), ('campaigns_rehearsalrow'), ('journal_entry'),
            ('journal_checkpoint'), ('journal_anchor')) AS t(name)
        WHERE NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = to_regclass(current_schema() || '.' || t.name)
            AND g.tgname = 'final_rows' AND g.tgenabled <> 'D')"""),
    Check(3, "order_has_its_debit", """
        SELECT 'order ' || o.number || ' costs ' || o.price_fen || ', its debit moved ' || p.fen FROM orders_order o
        JOIN points_posting p ON p.id = o.debit_id
        WHERE p.kind <> 'redeem' OR p.fen <> o.price_fen OR p.reference <> 'order:' || o.number"""),
    Check(3, "debit_has_its_order", """
        SELECT 'debit ' || p.reference || ' is no order''s' FROM points_posting p
        LEFT JOIN orders_order o ON o.debit_id = p.id WHERE p.kind = 'redeem' AND o.id IS NULL"""),
    Check(3, "items_add_up", """
        SELECT 'order ' || o.number || ' costs ' || o.price_fen || ', its items ' || coalesce(sum(i.price_fen), 0)
        FROM orders_order o LEFT JOIN orders_item i ON i.order_id = o.id GROUP BY o.id
        HAVING o.price_fen <> coalesce(sum(i.price_fen), 0)"""),
    Check(3, "items_are_closed_by_their_posting", """
        SELECT 'item ' || i.id || ' is ' || i.status || ', its posting ' || coalesce(p.kind, 'missing')
        FROM orders_item i LEFT JOIN points_posting p ON p.id = i.settlement_id
        WHERE (i.status <> 'placed' OR p.id IS NOT NULL) AND (p.id IS NULL OR p.fen <> i.price_fen
            OR (i.status, p.kind) NOT IN (('delivered', 'deliver'), ('refunded', 'refund')))"""),
    Check(3, "orders_follow_from_their_items", """
        SELECT 'order ' || o.number || ' is ' || o.status || ', its items say ' || s.status FROM orders_order o
        JOIN (SELECT order_id, CASE WHEN bool_or(status = 'placed') THEN 'placed'
                WHEN bool_and(status = 'delivered') THEN 'delivered'
                WHEN bool_and(status = 'refunded') THEN 'refunded' ELSE 'partly' END AS status
            FROM orders_item GROUP BY order_id) s ON s.order_id = o.id
        WHERE o.status <> s.status"""),
    Check(3, "settlements_close_an_item", """
        SELECT p.reference || ' closes no item' FROM points_posting p
        LEFT JOIN orders_item i ON i.settlement_id = p.id WHERE p.kind IN ('deliver', 'refund') AND i.id IS NULL"""),
    Check(3, "refunds_go_to_the_same_lots", """
        SELECT 'item ' || e.item || ' and lot ' || e.lot_id || ' differ by ' || sum(e.fen) FROM points_lotentry e
        WHERE e.item IN (SELECT 'item:' || id FROM orders_item WHERE status = 'refunded')
        GROUP BY e.item, e.lot_id HAVING sum(e.fen) <> 0"""),
    Check(3, "held_is_in_flight", """
        SELECT 'held ' || h.fen || ', items in flight ' || i.fen
        FROM (SELECT coalesce(sum(CASE WHEN a.id = p.destination_id THEN p.fen ELSE -p.fen END), 0) AS fen
                FROM points_account a JOIN points_posting p ON a.id IN (p.source_id, p.destination_id)
                WHERE a.kind = 'held') h
        CROSS JOIN (SELECT coalesce(sum(price_fen), 0) + (SELECT coalesce(sum(r.fen), 0) FROM points_posting r
                JOIN points_posting p ON p.id = r.reverses_id AND p.kind = 'deliver') AS fen
            FROM orders_item WHERE status = 'placed') i
        WHERE h.fen <> i.fen"""),
    Check(6, "items_have_their_delivery", """
        SELECT 'item ' || i.id || ' has no delivery' FROM orders_item i
        LEFT JOIN public.fulfilment_delivery d ON d.company = current_schema() AND d.item_id = i.id WHERE d.id IS NULL"""),
    Check(6, "deliveries_have_their_item", """
        SELECT 'delivery ' || d.id || ' is for no item' FROM public.fulfilment_delivery d
        LEFT JOIN orders_item i ON i.id = d.item_id WHERE d.company = current_schema() AND i.id IS NULL"""),
    Check(7, "settled_as_delivered", """
        SELECT 'item ' || i.id || ' is ' || i.status || ', its delivery ' || d.status FROM orders_item i
        JOIN public.fulfilment_delivery d ON d.company = current_schema() AND d.item_id = i.id
        WHERE (i.status = 'delivered' AND d.status <> 'succeeded') OR (i.status = 'refunded' AND d.status <> 'failed')
            OR (d.settled_at IS NOT NULL AND i.status = 'placed')"""),
    Check(5, "billed_is_in_the_ledger", """
        SELECT 'posting ' || b.posting_id || ': billed ' || b.fen || ', the ledger says ' || coalesce(l.fen, 0)
        FROM public.invoices_billedentry b
        LEFT JOIN (SELECT p.id, CASE p.kind WHEN 'deliver' THEN 1 ELSE -1 END * (p.fen - coalesce(g.fen, 0)) AS fen
                FROM points_posting p LEFT JOIN points_posting o ON o.id = p.reverses_id
                LEFT JOIN """ + GOODWILL_PARTS + """ g ON 'deliver:' || g.item = coalesce(o.reference, p.reference)
                WHERE 'deliver' IN (p.kind, o.kind)) l ON l.id = b.posting_id
        WHERE b.company = current_schema() AND b.fen IS DISTINCT FROM l.fen"""),
    Check(1, "goodwill_is_the_platforms", """
        SELECT 'the platform gave ' || m.given || ' and took back ' || m.taken || '; its budget, its lots and what was '
            || 'spent of them say ' || b.idle + l.left_fen + s.spent
        FROM (SELECT coalesce(sum(fen) FILTER (WHERE kind = 'goodwill'), 0) AS given,
                coalesce(sum(fen) FILTER (WHERE kind = 'recover'), 0) AS taken FROM points_posting) m
        CROSS JOIN (SELECT coalesce(sum(a.balance_fen), 0) AS idle FROM points_budget b
            JOIN points_account a ON a.id = b.account_id WHERE b.purpose = 'goodwill') b
        CROSS JOIN (SELECT coalesce(sum(l.remaining_fen), 0) AS left_fen FROM points_lot l
            JOIN points_budget b ON b.id = l.budget_id WHERE b.purpose = 'goodwill') l
        CROSS JOIN (SELECT coalesce(-sum(e.fen), 0) AS spent FROM points_lotentry e
            JOIN points_posting p ON p.id = e.posting_id AND p.kind IN ('redeem', 'refund')
            JOIN points_lot l ON l.id = e.lot_id JOIN points_budget b ON b.id = l.budget_id
            WHERE b.purpose = 'goodwill') s
        WHERE m.given - m.taken <> b.idle + l.left_fen + s.spent
        UNION ALL SELECT p.reference || ' is a ' || p.kind || ' of the platform''s budget' FROM points_posting p
            JOIN points_budget b ON b.account_id IN (p.source_id, p.destination_id)
            WHERE b.purpose = 'goodwill' AND p.kind NOT IN ('goodwill', 'grant', 'expire', 'recall', 'reverse')
        UNION ALL SELECT p.reference || ' is a ' || p.kind || ' of the loss account' FROM points_posting p
            JOIN points_account a ON a.kind = 'loss' AND a.id IN (p.source_id, p.destination_id)
            WHERE p.kind NOT IN ('goodwill', 'recover')"""),
    Check(5, "goodwill_is_once_an_item", """
        SELECT 'goodwill grant ' || g.id || ' is not the one of its item: ' || g.source FROM points_grant g
        JOIN points_budget b ON b.id = g.budget_id AND b.purpose = 'goodwill'
        LEFT JOIN points_posting p ON p.reference = 'goodwill:' || substr(g.source, length('orders.') + 1)
        LEFT JOIN orders_item i ON g.source = 'orders.item:' || i.id
        WHERE i.id IS NULL OR p.fen IS DISTINCT FROM g.total_fen
        UNION ALL SELECT p.reference || ' has no grant' FROM points_posting p WHERE p.kind = 'goodwill' AND NOT EXISTS (
            SELECT 1 FROM points_grant g WHERE 'goodwill:' || substr(g.source, length('orders.') + 1) = p.reference)"""),
    Check(3, "lots_end_as_they_were_lengthened", """
        SELECT 'lot ' || l.id || ' ends ' || coalesce(l.expires_at::text, 'never') || ', its refunds say ' || x.after
        FROM points_lot l JOIN (SELECT lot_id, max(after) AS after FROM points_lotextension GROUP BY 1) x ON x.lot_id = l.id
        WHERE l.expires_at IS DISTINCT FROM x.after
        UNION ALL SELECT 'lot ' || x.lot_id || ' was lengthened by ' || p.reference FROM points_lotextension x
        JOIN points_posting p ON p.id = x.posting_id WHERE p.kind <> 'refund' OR NOT EXISTS (
            SELECT 1 FROM points_lotentry e WHERE e.posting_id = p.id AND e.lot_id = x.lot_id)"""),
    Check(10, "occasions_are_given_once", """
        SELECT 'wallet ' || wallet_id || ' was given ' || occasion || ' ' || count(*) || ' times' FROM points_lot
        WHERE occasion <> '' GROUP BY wallet_id, occasion HAVING count(*) > 1
        UNION ALL SELECT 'lot ' || l.id || ' for ' || l.occasion || ' was not rehearsed' FROM points_lot l
        WHERE l.occasion <> '' AND NOT EXISTS (SELECT 1 FROM campaigns_rehearsal h WHERE h.grant_id = l.grant_id)"""),
    Check(10, "rehearsals_are_their_lots", """
        SELECT 'rehearsal ' || id || ', wallet ' || wallet_id || ': rehearsed ' || coalesce(w.fen, 0) || ' for '
            || coalesce(w.occasion, 'nothing') || ', given ' || coalesce(l.fen, 0) || ' for ' || coalesce(l.occasion, 'nothing')
        FROM (SELECT h.id, r.wallet_id, r.fen, r.occasion FROM campaigns_rehearsal h JOIN campaigns_rehearsalrow r
                ON r.rehearsal_id = h.id AND r.place BETWEEN 1 AND h.handed WHERE h.grant_id IS NOT NULL) w
        FULL JOIN (SELECT h.id, l.wallet_id, l.granted_fen AS fen, l.occasion FROM campaigns_rehearsal h
                JOIN points_lot l ON l.grant_id = h.grant_id) l USING (id, wallet_id)
        WHERE (w.fen, w.occasion) IS DISTINCT FROM (l.fen, l.occasion)
        UNION ALL SELECT 'rehearsal ' || h.id || ' is ' || h.status || ', its grant ' || g.status
            || ': ' || h.people || ' and ' || h.total_fen || ', its grant ' || g.employees || ' and ' || g.total_fen
        FROM campaigns_rehearsal h JOIN points_grant g ON g.id = h.grant_id
        WHERE (h.status, h.people, h.total_fen) IS DISTINCT FROM (g.status, g.employees, g.total_fen)"""),
    Check(10, "imports_did_what_they_say", """
        SELECT 'roster import ' || i.id || ' planned ' || i.counts || ' and did ' || i.result FROM roster_rosterimport i
        WHERE i.status IN ('applied', 'undoing', 'undone') AND ((i.counts->>'join')::int, (i.counts->>'leave')::int,
            (i.counts->>'update')::int + (i.counts->>'return')::int) IS DISTINCT FROM ((i.result->>'created')::int,
            (i.result->>'left')::int, (i.result->>'updated')::int)
        UNION ALL SELECT 'roster import ' || i.id || ' counts ' || (i.counts->>a.action) || ' rows to ' || a.action
            || ' and holds ' || a.rows FROM roster_rosterimport i JOIN LATERAL (SELECT r.action, count(*) AS rows
                FROM roster_rosterrow r WHERE r.roster_import_id = i.id GROUP BY r.action) a ON true
        WHERE i.forgotten_at IS NULL AND a.rows <> (i.counts->>a.action)::int"""),
    Check(10, "imports_are_applied_and_undone_once", """
        SELECT e.subject || ': ' || e.action || ' ' || count(*) || ' times' FROM identity_auditevent e
        WHERE e.action IN ('roster.applied', 'roster.undone') GROUP BY e.subject, e.action HAVING count(*) > 1
        UNION ALL SELECT 'roster import ' || i.id || ' is ' || i.status || ' and left no audit event'
        FROM roster_rosterimport i WHERE i.status IN ('applied', 'undoing', 'undone') AND NOT EXISTS (
            SELECT 1 FROM identity_auditevent e WHERE e.action = 'roster.applied'
                AND e.subject = 'roster.rosterimport:' || i.id)"""),
    Check(13, "personal_data_is_sealed", r"""
        SELECT what || ' is not sealed' FROM (
            SELECT 'mobile of employee ' || id AS what, mobile AS value FROM people_employee
            UNION ALL SELECT 'birthday of employee ' || id, birthday FROM people_employee
            UNION ALL SELECT 'account of order ' || id, account FROM orders_order) v
        WHERE value <> '' AND value !~ '^[0-9a-f]{8}\.[A-Za-z0-9+/=]+$'"""),
    Check(14, "money_leaves_a_trace", """
        SELECT what || ' left no audit event' FROM (
            SELECT 'order ' || number AS what, 'order.placed' AS action, 'orders.order:' || id AS subject FROM orders_order
            UNION ALL SELECT 'item ' || id, 'item.' || status, 'orders.item:' || id FROM orders_item WHERE status <> 'placed'
            UNION ALL SELECT 'grant ' || id, 'points.granted', 'points.grant:' || id FROM points_grant
            UNION ALL SELECT 'load ' || p.id, 'budget.loaded', 'points.budget:' || b.id FROM points_posting p
                JOIN points_budget b ON b.account_id = p.destination_id WHERE p.kind = 'load'
            UNION ALL SELECT 'unload ' || p.id, 'budget.unloaded', 'points.budget:' || b.id FROM points_posting p
                JOIN points_budget b ON b.account_id = p.source_id WHERE p.kind = 'unload'
            UNION ALL SELECT 'move ' || p.id, 'budget.moved_out', 'points.budget:' || b.id FROM points_posting p
                JOIN points_budget b ON b.account_id = p.source_id WHERE p.kind = 'move'
            UNION ALL SELECT 'move ' || p.id, 'budget.moved_in', 'points.budget:' || b.id FROM points_posting p
                JOIN points_budget b ON b.account_id = p.destination_id WHERE p.kind = 'move') m
        WHERE NOT EXISTS (SELECT 1 FROM identity_auditevent e WHERE e.action = m.action AND e.subject = m.subject)"""),
    Check(14, "journal_verifies", _journal),
    Check(14, "final_rows_are_sealed", _unsealed),
]  # fmt: skip

PUBLIC_CHECKS = [
    Check(1, "funds_follow_from_entries", """
        SELECT 'funds of ' || a.company || ' store ' || a.balance_fen || ', entries say ' || coalesce(sum(e.fen), 0)
        FROM funds_fundsaccount a LEFT JOIN funds_fundsentry e ON e.account_id = a.id GROUP BY a.id
        HAVING a.balance_fen <> coalesce(sum(e.fen), 0) OR a.balance_fen < a.held_fen - a.credit_limit_fen"""),
    Check(1, "funds_holds_add_up", """
        SELECT 'funds of ' || a.company || ' hold back ' || a.held_fen || ', holds say ' || coalesce(sum(h.fen), 0)
        FROM funds_fundsaccount a LEFT JOIN funds_fundshold h ON h.account_id = a.id AND h.released_at IS NULL
        GROUP BY a.id HAVING a.held_fen <> coalesce(sum(h.fen), 0)"""),
    Check(1, "deposits_are_in_the_funds", """
        SELECT 'deposit ' || d.id || ' is confirmed and not in the funds' FROM funds_deposit d
        LEFT JOIN funds_fundsentry e ON e.account_id = d.account_id AND e.reference = 'deposit:' || d.id
        WHERE d.status = 'confirmed' AND e.fen IS DISTINCT FROM d.fen"""),
    Check(1, "deposits_have_two_persons", """
        SELECT 'deposit ' || id || ' was recorded and confirmed by ' || recorded_by FROM funds_deposit
        WHERE status = 'confirmed' AND confirmed_by = recorded_by AND recorded_by <> 'system'
        UNION ALL SELECT 'reversal of deposit ' || deposit_id || ' was asked for and done by ' || asked_by
        FROM funds_depositreversal WHERE status = 'done' AND decided_by = asked_by"""),
    Check(2, "deposit_reversals_mirror", """
        SELECT r.reference || ' does not mirror deposit entry ' || e.id FROM funds_fundsentry r
        JOIN funds_fundsentry e ON e.id = r.reverses_id
        WHERE (e.kind, e.account_id, e.fen) IS DISTINCT FROM ('deposit', r.account_id, -r.fen)
        UNION ALL SELECT 'reversal of deposit ' || v.deposit_id || ' is done and not in the funds'
        FROM funds_depositreversal v JOIN funds_deposit d ON d.id = v.deposit_id
        LEFT JOIN funds_fundsentry e ON e.account_id = d.account_id AND e.reference = 'reverse:' || d.id
        WHERE v.status = 'done' AND e.fen IS DISTINCT FROM -d.fen"""),
    Check(5, "receipt_numbers_have_no_gap", """
        SELECT 'receipts of ' || s.year || ' counted to ' || s.last_number || ' and there are ' || count(r.id)
        FROM funds_receiptseries s LEFT JOIN funds_receipt r ON r.series_id = s.id GROUP BY s.id
        HAVING s.last_number <> count(r.id) OR coalesce(max(r.serial), 0) <> s.last_number"""),
    Check(5, "deposits_have_their_receipt", """
        SELECT 'deposit ' || d.id || ' of ' || d.fen || ' has a receipt of ' || coalesce(r.fen, 0) FROM funds_deposit d
        LEFT JOIN funds_receipt r ON r.deposit_id = d.id
        WHERE r.fen IS DISTINCT FROM d.fen AND (r.id IS NOT NULL OR (d.status = 'confirmed'
            AND d.confirmed_at >= (SELECT min(issued_at) FROM funds_receipt)))"""),
    Check(2, "platform_rows_are_guarded", """
        SELECT t.name || ' is not guarded' FROM (VALUES ('funds_fundsentry'), ('funds_deposit'), ('funds_receipt'),
            ('funds_receiptseries'), ('funds_fundshold'), ('identity_auditevent'), ('invoices_invoice'),
            ('invoices_invoiceline'), ('invoices_billedentry'), ('invoices_numberseries'), ('journal_entry'),
            ('journal_checkpoint'), ('journal_anchor')) AS t(name)
        WHERE NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = to_regclass('public.' || t.name)
            AND g.tgname = 'final_rows' AND g.tgenabled <> 'D')"""),
    Check(7, "one_live_attempt", """
        SELECT 'delivery ' || delivery_id || ' has ' || count(*) || ' live attempts' FROM fulfilment_attempt
        WHERE status <> 'failed' GROUP BY delivery_id HAVING count(*) > 1"""),
    Check(7, "outcome_of_its_attempts", """
        SELECT 'delivery ' || d.id || ' is ' || d.status || ' and its attempts do not say so' FROM fulfilment_delivery d
        WHERE (d.status = 'succeeded') <> EXISTS (SELECT 1 FROM fulfilment_attempt a
                WHERE a.delivery_id = d.id AND a.status = 'succeeded')
            OR (d.status = 'failed' AND EXISTS (SELECT 1 FROM fulfilment_attempt a
                WHERE a.delivery_id = d.id AND a.status <> 'failed'))"""),
    Check(9, "card_codes_are_of_delivered_cards", """
        SELECT 'card code ' || c.id || ' is of a delivery that did not succeed' FROM fulfilment_cardcode c
        JOIN fulfilment_delivery d ON d.id = c.delivery_id WHERE d.status <> 'succeeded'"""),
    Check(9, "card_codes_are_sealed", r"""
        SELECT 'card code ' || id || ' is not sealed' FROM fulfilment_cardcode WHERE code !~ '^[0-9a-f]{8}\.[A-Za-z0-9+/=]+$'"""),
    Check(5, "invoice_numbers_have_no_gap", """
        SELECT 'series ' || s.code || s.year || ' counted to ' || s.last_number || ' and holds ' || count(i.id)
        FROM invoices_numberseries s LEFT JOIN invoices_invoice i ON i.series_id = s.id GROUP BY s.id
        HAVING s.last_number <> count(i.id) OR coalesce(max(i.serial), 0) <> s.last_number"""),
    Check(5, "invoice_totals_are_their_entries", """
        SELECT i.number || ' totals ' || i.total_fen || ', its entries ' || coalesce(sum(b.fen), 0)
        FROM invoices_invoice i LEFT JOIN invoices_billedentry b ON b.invoice_id = i.id GROUP BY i.id
        HAVING i.total_fen <> coalesce(sum(b.fen), 0)"""),
    Check(5, "invoice_lines_add_up", """
        SELECT i.number || ' totals ' || i.total_fen || ', its lines ' || coalesce(sum(l.gross_fen), 0)
        FROM invoices_invoice i LEFT JOIN invoices_invoiceline l ON l.invoice_id = i.id GROUP BY i.id
        HAVING (i.total_fen, i.net_fen, i.tax_fen) IS DISTINCT FROM
            (coalesce(sum(l.gross_fen), 0), coalesce(sum(l.net_fen), 0), coalesce(sum(l.tax_fen), 0))"""),
    Check(11, "rows_are_of_a_company", """
        SELECT what || ' is of no company' FROM (
            SELECT 'delivery ' || id AS what, company FROM fulfilment_delivery
            UNION ALL SELECT 'funds account ' || id, company FROM funds_fundsaccount
            UNION ALL SELECT 'invoice ' || number, company FROM invoices_invoice) r
        WHERE NOT EXISTS (SELECT 1 FROM tenants_company c WHERE c.schema_name = r.company)"""),
    Check(13, "accounts_are_sealed", r"""
        SELECT 'account of delivery ' || id || ' is not sealed' FROM fulfilment_delivery
        WHERE account <> '' AND account !~ '^[0-9a-f]{8}\.[A-Za-z0-9+/=]+$'"""),
    Check(14, "platform_journal_verifies", _journal),
    Check(14, "platform_rows_are_sealed", _unsealed),
]  # fmt: skip


def verify(companies: Iterable[Company], *, at: datetime | None = None) -> list[Violation]:
    """Run every check on the public schema and on each of the companies; what is late is late at `at`."""
    with schema_context("public"):
        found = _run(PUBLIC_CHECKS, company="", at=at)
    for company in companies:
        with schema_context(company.schema_name):
            found += _run(COMPANY_CHECKS, company=company.schema_name, at=at)
    return found


def _run(checks: Iterable[Check], *, company: str, at: datetime | None) -> list[Violation]:
    found = []
    with connection.cursor() as cursor:
        for check in checks:
            if callable(check.query):
                details = check.query(at)
            else:
                cursor.execute(check.query)
                details = [row[0] for row in cursor.fetchall()]
            found += [Violation(check.promise, company, check.name, detail) for detail in details]
    return found
