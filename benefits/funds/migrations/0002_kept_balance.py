"""The balance follows from the entries by a trigger; entries are final; nothing else may write the balance."""

from django.db import migrations

SQL = """
CREATE FUNCTION funds_apply_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM funds_fundsaccount
        WHERE id IN (SELECT account_id FROM new_rows) ORDER BY id FOR UPDATE;
    UPDATE funds_fundsaccount a SET balance_fen = a.balance_fen + d.fen
        FROM (SELECT account_id, sum(fen) AS fen FROM new_rows GROUP BY account_id) d
        WHERE a.id = d.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER apply_entries AFTER INSERT ON funds_fundsentry
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION funds_apply_entries();

CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON funds_fundsentry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION funds_guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.balance_fen <> 0)
        OR (TG_OP = 'UPDATE' AND NEW.balance_fen IS DISTINCT FROM OLD.balance_fen AND pg_trigger_depth() < 2) THEN
        RAISE EXCEPTION 'a funds balance follows from its entries' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_balance BEFORE INSERT OR UPDATE ON funds_fundsaccount
    FOR EACH ROW EXECUTE FUNCTION funds_guard_balance();
"""

UNDO = """
DROP TRIGGER guard_balance ON funds_fundsaccount;
DROP FUNCTION funds_guard_balance();
DROP TRIGGER final_rows ON funds_fundsentry;
DROP TRIGGER apply_entries ON funds_fundsentry;
DROP FUNCTION funds_apply_entries();
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0001_initial"), ("identity", "0002_final_rows")]
    operations = [migrations.RunSQL(SQL, UNDO)]
