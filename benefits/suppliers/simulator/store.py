"""The simulated supplier's own memory: sqlite for its state, a text file for the truth."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY,
    dialect TEXT NOT NULL, reference TEXT NOT NULL, supplier_ref TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    product TEXT NOT NULL, account TEXT NOT NULL, quantity INTEGER NOT NULL, cost_fen INTEGER NOT NULL,
    state TEXT NOT NULL,              -- in_progress, success, failed
    fate TEXT NOT NULL,               -- the fault that decides how it ends, or ''
    query_fault TEXT NOT NULL, callback_fault TEXT NOT NULL,
    notify_url TEXT NOT NULL, remark TEXT NOT NULL DEFAULT '', cards TEXT NOT NULL DEFAULT '[]',
    accepted_at REAL NOT NULL, settle_at REAL, finished_at REAL, queries INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS orders_reference ON orders (reference);
CREATE INDEX IF NOT EXISTS orders_due ON orders (settle_at) WHERE state = 'in_progress';
CREATE TABLE IF NOT EXISTS callbacks (
    id INTEGER PRIMARY KEY,
    dialect TEXT NOT NULL, reference TEXT NOT NULL, url TEXT NOT NULL, body TEXT NOT NULL,
    forged INTEGER NOT NULL,
    due_at REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, done_at REAL, answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS callbacks_due ON callbacks (due_at) WHERE done_at IS NULL;
CREATE TABLE IF NOT EXISTS submissions (
    id INTEGER PRIMARY KEY, reference TEXT NOT NULL, at REAL NOT NULL,
    fault TEXT NOT NULL, outcome TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS submissions_reference ON submissions (reference);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, reference TEXT NOT NULL, account TEXT NOT NULL, product TEXT NOT NULL,
    quantity INTEGER NOT NULL, cost_fen INTEGER NOT NULL, cards TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY CHECK (id = 1), balance_fen INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Submission:
    """An order as it arrived, whatever the dialect."""

    dialect: str
    reference: str
    kind: str
    product: str
    account: str
    quantity: int
    ceiling_fen: int | None
    notify_url: str


class Store:
    """One supplier's books. Every method is one short transaction."""

    def __init__(self, folder: Path, *, balance_fen: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "supplier.sqlite3", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # The page cache outlives a killed process, and this is a toy's disk: no fsync.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;")
        self._db.executescript(SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO account VALUES (1, ?)", (balance_fen,))
        self._truth = (folder / "truth.jsonl").open("a", encoding="utf-8")

    def close(self) -> None:
        self._truth.close()
        self._db.close()

    # Submissions and orders

    def submission_count(self, reference: str) -> int:
        return int(self._one("SELECT count(*) FROM submissions WHERE reference = ?", reference)[0])

    def record_submission(self, *, reference: str, fault: str, outcome: str, at: float) -> None:
        self._db.execute(
            "INSERT INTO submissions (reference, at, fault, outcome) VALUES (?, ?, ?, ?)",
            (reference, at, fault, outcome),
        )
        self._write_truth("submitted", at=at, reference=reference, fault=fault, outcome=outcome)

    def find(self, reference: str) -> sqlite3.Row | None:
        """Return the newest order under our customer's number, or None."""
        row: sqlite3.Row | None = self._db.execute(
            "SELECT * FROM orders WHERE reference = ? ORDER BY id DESC LIMIT 1", (reference,)
        ).fetchone()
        return row

    def accept(
        self,
        submission: Submission,
        *,
        cost_fen: int,
        faults: Mapping[str, str],
        at: float,
        settle_at: float | None,
    ) -> sqlite3.Row:
        """Take an order and its cost; it ends at `settle_at`, or never when that is None."""
        number = int(self._one("SELECT coalesce(max(id), 0) + 1 FROM orders")[0])
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(
            "INSERT INTO orders (dialect, reference, supplier_ref, kind, product, account, quantity,"
            " cost_fen, state, fate, query_fault, callback_fault, notify_url, accepted_at, settle_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'in_progress', ?, ?, ?, ?, ?, ?)",
            (
                submission.dialect, submission.reference, f"SIM{number:012d}", submission.kind,
                submission.product, submission.account, submission.quantity, cost_fen,
                faults["fate"], faults["query"], faults["callback"], submission.notify_url, at, settle_at,
            ),
        )  # fmt: skip
        self._db.execute("UPDATE account SET balance_fen = balance_fen - ?", (cost_fen,))
        self._db.execute("COMMIT")
        return self._one(
            "SELECT * FROM orders WHERE reference = ? ORDER BY id DESC LIMIT 1", submission.reference
        )

    def get(self, order_id: int) -> sqlite3.Row:
        return self._one("SELECT * FROM orders WHERE id = ?", order_id)

    def due_orders(self, at: float) -> list[sqlite3.Row]:
        return self._db.execute(
            "SELECT * FROM orders WHERE state = 'in_progress' AND settle_at <= ? ORDER BY settle_at"
            " LIMIT 500",
            (at,),
        ).fetchall()

    def succeed(self, order: sqlite3.Row, *, delivered: Mapping[str, Any], at: float) -> None:
        """End an order with value delivered; `delivered` is what really happened."""
        self._db.execute("BEGIN IMMEDIATE")
        changed = self._db.execute(
            "UPDATE orders SET state = 'success', finished_at = ?, cards = ?, account = ?, product = ?,"
            " cost_fen = ? WHERE id = ? AND state = 'in_progress'",
            (
                at, json.dumps(delivered["cards"]), delivered["account"], delivered["product"],
                delivered["cost_fen"], order["id"],
            ),
        ).rowcount  # fmt: skip
        if changed:
            self._db.execute(
                "INSERT INTO deliveries (reference, account, product, quantity, cost_fen, cards, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    order["reference"], delivered["account"], delivered["product"], order["quantity"],
                    delivered["cost_fen"], json.dumps(delivered["cards"]), at,
                ),
            )  # fmt: skip
        self._db.execute("COMMIT")
        if changed:
            self._write_truth("delivered", at=at, reference=order["reference"], **delivered)

    def fail(self, order: sqlite3.Row, *, remark: str, at: float) -> None:
        """End an order without value; its cost returns to the account."""
        self._db.execute("BEGIN IMMEDIATE")
        changed = self._db.execute(
            "UPDATE orders SET state = 'failed', finished_at = ?, remark = ?"
            " WHERE id = ? AND state = 'in_progress'",
            (at, remark, order["id"]),
        ).rowcount
        if changed:
            self._db.execute("UPDATE account SET balance_fen = balance_fen + ?", (order["cost_fen"],))
        self._db.execute("COMMIT")
        if changed:
            self._write_truth("failed", at=at, reference=order["reference"], remark=remark)

    def count_query(self, order: sqlite3.Row) -> int:
        """Count a query of an order and return which one it is."""
        self._db.execute("UPDATE orders SET queries = queries + 1 WHERE id = ?", (order["id"],))
        return int(self._one("SELECT queries FROM orders WHERE id = ?", order["id"])[0])

    # Callbacks

    def schedule_callback(
        self, *, dialect: str, reference: str, url: str, body: str, forged: bool, due_at: float
    ) -> int:
        cursor = self._db.execute(
            "INSERT INTO callbacks (dialect, reference, url, body, forged, due_at) VALUES (?, ?, ?, ?, ?, ?)",
            (dialect, reference, url, body, forged, due_at),
        )
        return cursor.lastrowid or 0

    def callback(self, callback_id: int) -> sqlite3.Row:
        return self._one("SELECT * FROM callbacks WHERE id = ?", callback_id)

    def due_callbacks(self, at: float) -> list[sqlite3.Row]:
        return self._db.execute(
            "SELECT * FROM callbacks WHERE done_at IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT 100",
            (at,),
        ).fetchall()

    def callback_sent(self, callback_id: int, *, answer: str, done_at: float | None, next_at: float) -> None:
        self._db.execute(
            "UPDATE callbacks SET tries = tries + 1, answer = ?, done_at = ?, due_at = ? WHERE id = ?",
            (answer, done_at, next_at, callback_id),
        )

    # The account and the truth

    def balance(self) -> int:
        return int(self._one("SELECT balance_fen FROM account")[0])

    def set_balance(self, fen: int) -> None:
        self._db.execute("UPDATE account SET balance_fen = ?", (fen,))

    def truth(self, *, reference: str = "") -> dict[str, Any]:
        """Return what was received, what was really delivered and what was called back."""
        where, values = ("WHERE reference = ?", (reference,)) if reference else ("", ())
        found: dict[str, Any] = {"balance_fen": self.balance()}
        for table in ("submissions", "orders", "deliveries", "callbacks"):
            rows = self._db.execute(f"SELECT * FROM {table} {where} ORDER BY id", values)  # noqa: S608
            found[table] = [dict(row) for row in rows]
        return found

    def reset(self, *, balance_fen: int) -> None:
        """Forget everything; the truth file says when."""
        for table in ("submissions", "orders", "deliveries", "callbacks"):
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608
        self.set_balance(balance_fen)
        self._write_truth("reset")

    def _one(self, sql: str, *values: object) -> sqlite3.Row:
        row: sqlite3.Row = self._db.execute(sql, values).fetchone()
        return row

    def _write_truth(self, event: str, **facts: Any) -> None:
        self._truth.write(json.dumps({"event": event, **facts}, ensure_ascii=False) + "\n")
        self._truth.flush()
