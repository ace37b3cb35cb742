"""What was decided is final, holds keep what is held, reversals mirror, receipts have no gap: the database sees to it."""

from django.db import migrations

SQL = """
CREATE OR REPLACE FUNCTION funds_guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND (NEW.balance_fen <> 0 OR NEW.held_fen <> 0))
        OR (TG_OP = 'UPDATE' AND (NEW.balance_fen, NEW.held_fen) IS DISTINCT FROM (OLD.balance_fen, OLD.held_fen)
            AND pg_trigger_depth() < 2) THEN
        RAISE EXCEPTION 'a funds balance follows from its entries' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION funds_apply_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.released_at IS NOT NULL OR NEW.released_at IS NULL
        OR (NEW.id, NEW.account_id, NEW.fen, NEW.reason, NEW.set_by, NEW.set_at)
            IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.fen, OLD.reason, OLD.set_by, OLD.set_at)) THEN
        RAISE EXCEPTION 'a hold is released once, and changes in nothing else' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' AND NEW.released_at IS NOT NULL THEN
        RAISE EXCEPTION 'a hold begins unreleased' USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE funds_fundsaccount SET held_fen = held_fen + CASE TG_OP WHEN 'INSERT' THEN NEW.fen ELSE -NEW.fen END
        WHERE id = NEW.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER apply_hold AFTER INSERT OR UPDATE ON funds_fundshold
    FOR EACH ROW EXECUTE FUNCTION funds_apply_hold();

CREATE TRIGGER final_rows BEFORE DELETE OR TRUNCATE ON funds_fundshold
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION funds_guard_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reverses_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM funds_fundsentry e WHERE e.id = NEW.reverses_id
            AND e.kind = 'deposit' AND e.account_id = NEW.account_id AND e.fen = -NEW.fen) THEN
        RAISE EXCEPTION 'an entry reverses a deposit of its account, and all of it' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_reversal BEFORE INSERT ON funds_fundsentry
    FOR EACH ROW EXECUTE FUNCTION funds_guard_reversal();

CREATE FUNCTION funds_guard_deposit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decision CONSTANT text[] := ARRAY['status', 'confirmed_by', 'confirmed_at'];
BEGIN
    IF OLD.status <> 'recorded' OR (to_jsonb(NEW) - decision) IS DISTINCT FROM (to_jsonb(OLD) - decision) THEN
        RAISE EXCEPTION 'deposit % stays as it is', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_deposit BEFORE UPDATE ON funds_deposit
    FOR EACH ROW EXECUTE FUNCTION funds_guard_deposit();

CREATE TRIGGER final_rows BEFORE DELETE OR TRUNCATE ON funds_deposit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON funds_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION funds_guard_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.last_number <> 1) OR (TG_OP = 'UPDATE'
        AND (NEW.id, NEW.year, NEW.last_number) IS DISTINCT FROM (OLD.id, OLD.year, OLD.last_number + 1)) THEN
        RAISE EXCEPTION 'receipts of % move by one', NEW.year USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_series BEFORE INSERT OR UPDATE ON funds_receiptseries
    FOR EACH ROW EXECUTE FUNCTION funds_guard_series();

CREATE TRIGGER final_rows BEFORE DELETE OR TRUNCATE ON funds_receiptseries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION funds_number_is_used() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM funds_receipt WHERE series_id = NEW.id AND serial = NEW.last_number) THEN
        RAISE EXCEPTION 'number % of % has no receipt', NEW.last_number, NEW.year USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER number_is_used AFTER INSERT OR UPDATE ON funds_receiptseries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION funds_number_is_used();

CREATE FUNCTION funds_receipt_is_numbered() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM funds_receiptseries WHERE id = NEW.series_id AND NEW.serial <= last_number)
        OR NOT EXISTS (SELECT 1 FROM funds_deposit WHERE id = NEW.deposit_id AND status = 'confirmed'
            AND fen = NEW.fen) THEN
        RAISE EXCEPTION 'receipt % is not of a confirmed deposit, or not numbered', NEW.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER receipt_is_numbered AFTER INSERT ON funds_receipt
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION funds_receipt_is_numbered();
"""

UNDO = """
DROP TRIGGER receipt_is_numbered ON funds_receipt;
DROP FUNCTION funds_receipt_is_numbered();
DROP TRIGGER number_is_used ON funds_receiptseries;
DROP FUNCTION funds_number_is_used();
DROP TRIGGER final_rows ON funds_receiptseries;
DROP TRIGGER guard_series ON funds_receiptseries;
DROP FUNCTION funds_guard_series();
DROP TRIGGER final_rows ON funds_receipt;
DROP TRIGGER final_rows ON funds_deposit;
DROP TRIGGER guard_deposit ON funds_deposit;
DROP FUNCTION funds_guard_deposit();
DROP TRIGGER guard_reversal ON funds_fundsentry;
DROP FUNCTION funds_guard_reversal();
DROP TRIGGER final_rows ON funds_fundshold;
DROP TRIGGER apply_hold ON funds_fundshold;
DROP FUNCTION funds_apply_hold();
CREATE OR REPLACE FUNCTION funds_guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.balance_fen <> 0)
        OR (TG_OP = 'UPDATE' AND NEW.balance_fen IS DISTINCT FROM OLD.balance_fen AND pg_trigger_depth() < 2) THEN
        RAISE EXCEPTION 'a funds balance follows from its entries' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("funds", "0003_deposit_papers")]
    operations = [migrations.RunSQL(SQL, UNDO)]
