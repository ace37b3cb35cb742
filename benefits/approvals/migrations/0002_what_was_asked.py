"""What was asked, and what was decided, stays as it was; a request that is closed never moves again."""

from django.db import migrations

SQL = """
CREATE FUNCTION approvals_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'waiting' THEN
            RAISE EXCEPTION 'a request begins by waiting' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.status IN ('done', 'refused', 'withdrawn', 'lapsed') THEN
        RAISE EXCEPTION 'a request that is closed is final' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.kind, NEW.subject, NEW.fen, NEW.details, NEW.request_key, NEW.asked_by_id, NEW.asked_at, NEW.due_at)
        IS DISTINCT FROM
        (OLD.kind, OLD.subject, OLD.fen, OLD.details, OLD.request_key, OLD.asked_by_id, OLD.asked_at, OLD.due_at) THEN
        RAISE EXCEPTION 'what was asked is final' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.decided_by_id IS NOT NULL AND (NEW.decided_by_id, NEW.acting_for_id, NEW.decided_at, NEW.note)
        IS DISTINCT FROM (OLD.decided_by_id, OLD.acting_for_id, OLD.decided_at, OLD.note) THEN
        RAISE EXCEPTION 'a decision is final' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_approval BEFORE INSERT OR UPDATE ON approvals_approval
    FOR EACH ROW EXECUTE FUNCTION approvals_guard();

CREATE TRIGGER final_rows BEFORE DELETE OR TRUNCATE ON approvals_approval
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
UNDO = """
DROP TRIGGER final_rows ON approvals_approval;
DROP TRIGGER guard_approval ON approvals_approval;
DROP FUNCTION approvals_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("approvals", "0001_initial"), ("identity", "0002_final_rows")]
    operations = [migrations.RunSQL(SQL, UNDO)]
