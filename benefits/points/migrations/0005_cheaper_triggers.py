"""The triggers that keep balances and lots cost less, and refuse what they refused.

Most statements write one posting or one entry: for those, plain updates by primary key instead of joins with the table
of new rows. The guards are asked only about a change that did not come from a trigger.
"""

from django.db import migrations

SQL = """
CREATE OR REPLACE FUNCTION points_apply_postings() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    _new record;
BEGIN
    SELECT count(*) AS rows, min(source_id) AS source, min(destination_id) AS destination, min(fen) AS fen
        INTO _new FROM new_rows;
    IF _new.rows = 1 THEN
        -- In id order, as many are.
        IF _new.source > _new.destination THEN
            UPDATE points_account SET balance_fen = balance_fen + _new.fen
                WHERE id = _new.destination AND balance_fen IS NOT NULL;
        END IF;
        UPDATE points_account SET balance_fen = balance_fen - _new.fen
            WHERE id = _new.source AND balance_fen IS NOT NULL;
        IF _new.source < _new.destination THEN
            UPDATE points_account SET balance_fen = balance_fen + _new.fen
                WHERE id = _new.destination AND balance_fen IS NOT NULL;
        END IF;
        RETURN NULL;
    END IF;
    PERFORM 1 FROM points_account WHERE balance_fen IS NOT NULL
        AND id IN (SELECT source_id FROM new_rows UNION ALL SELECT destination_id FROM new_rows)
        ORDER BY id FOR UPDATE;
    UPDATE points_account a SET balance_fen = a.balance_fen + d.fen
        FROM (SELECT id, sum(fen) AS fen FROM (
                SELECT source_id AS id, -fen AS fen FROM new_rows
                UNION ALL SELECT destination_id, fen FROM new_rows) legs GROUP BY id) d
        WHERE a.id = d.id AND a.balance_fen IS NOT NULL;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION points_apply_lot_entries() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    _new record;
BEGIN
    SELECT count(*) AS rows, min(lot_id) AS lot, min(fen) AS fen INTO _new FROM new_rows;
    IF _new.rows = 1 THEN
        UPDATE points_lot SET remaining_fen = remaining_fen + _new.fen WHERE id = _new.lot;
        RETURN NULL;
    END IF;
    PERFORM 1 FROM points_lot WHERE id IN (SELECT lot_id FROM new_rows) ORDER BY id FOR UPDATE;
    UPDATE points_lot l SET remaining_fen = l.remaining_fen + d.fen
        FROM (SELECT lot_id, sum(fen) AS fen FROM new_rows GROUP BY lot_id) d
        WHERE l.id = d.lot_id;
    RETURN NULL;
END $$;

DROP TRIGGER guard_balance ON points_account;
CREATE OR REPLACE FUNCTION points_guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a balance follows from its postings' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER guard_new_balance BEFORE INSERT ON points_account FOR EACH ROW
    WHEN (NEW.balance_fen <> 0) EXECUTE FUNCTION points_guard_balance();
-- Depth 0 is a statement that no trigger has sent.
CREATE TRIGGER guard_balance BEFORE UPDATE ON points_account FOR EACH ROW
    WHEN (NEW.balance_fen IS DISTINCT FROM OLD.balance_fen AND pg_trigger_depth() < 1)
    EXECUTE FUNCTION points_guard_balance();

DROP TRIGGER guard_lot ON points_lot;
CREATE OR REPLACE FUNCTION points_guard_lot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what is left of a lot follows from its entries' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER guard_new_lot BEFORE INSERT ON points_lot FOR EACH ROW
    WHEN (NEW.remaining_fen <> 0) EXECUTE FUNCTION points_guard_lot();
CREATE TRIGGER guard_lot BEFORE UPDATE ON points_lot FOR EACH ROW
    WHEN ((NEW.remaining_fen, NEW.granted_fen, NEW.wallet_id)
        IS DISTINCT FROM (OLD.remaining_fen, OLD.granted_fen, OLD.wallet_id) AND pg_trigger_depth() < 1)
    EXECUTE FUNCTION points_guard_lot();
"""


class Migration(migrations.Migration):
    dependencies = [("points", "0004_their_accounts")]
    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
