"""Balances and what is left of a lot follow from final rows by triggers; nothing else may write them.

The functions carry their schema in their own search path, so that they work on their company whoever calls.
"""

from django.db import migrations

SQL = """
CREATE FUNCTION points_apply_postings() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
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

CREATE TRIGGER apply_postings AFTER INSERT ON points_posting
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION points_apply_postings();

CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON points_posting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION points_apply_lot_entries() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM 1 FROM points_lot WHERE id IN (SELECT lot_id FROM new_rows) ORDER BY id FOR UPDATE;
    UPDATE points_lot l SET remaining_fen = l.remaining_fen + d.fen
        FROM (SELECT lot_id, sum(fen) AS fen FROM new_rows GROUP BY lot_id) d
        WHERE l.id = d.lot_id;
    RETURN NULL;
END $$;

CREATE TRIGGER apply_lot_entries AFTER INSERT ON points_lotentry
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION points_apply_lot_entries();

CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON points_lotentry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION points_guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.balance_fen <> 0)
        OR (TG_OP = 'UPDATE' AND NEW.balance_fen IS DISTINCT FROM OLD.balance_fen AND pg_trigger_depth() < 2) THEN
        RAISE EXCEPTION 'a balance follows from its postings' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_balance BEFORE INSERT OR UPDATE ON points_account
    FOR EACH ROW EXECUTE FUNCTION points_guard_balance();

CREATE FUNCTION points_guard_lot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.remaining_fen <> 0)
        OR (TG_OP = 'UPDATE' AND (NEW.remaining_fen, NEW.granted_fen, NEW.wallet_id)
            IS DISTINCT FROM (OLD.remaining_fen, OLD.granted_fen, OLD.wallet_id) AND pg_trigger_depth() < 2) THEN
        RAISE EXCEPTION 'what is left of a lot follows from its entries' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_lot BEFORE INSERT OR UPDATE ON points_lot
    FOR EACH ROW EXECUTE FUNCTION points_guard_lot();
"""

UNDO = """
DROP TRIGGER guard_lot ON points_lot;
DROP FUNCTION points_guard_lot();
DROP TRIGGER guard_balance ON points_account;
DROP FUNCTION points_guard_balance();
DROP TRIGGER final_rows ON points_lotentry;
DROP TRIGGER apply_lot_entries ON points_lotentry;
DROP FUNCTION points_apply_lot_entries();
DROP TRIGGER final_rows ON points_posting;
DROP TRIGGER apply_postings ON points_posting;
DROP FUNCTION points_apply_postings();
"""


class Migration(migrations.Migration):
    dependencies = [("points", "0001_initial"), ("identity", "0002_final_rows")]
    operations = [migrations.RunSQL(SQL, UNDO)]
