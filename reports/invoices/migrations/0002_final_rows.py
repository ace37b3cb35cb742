"""What was issued is final, adds up and is numbered without gaps: the database refuses anything else."""

from django.db import migrations

SQL = """
CREATE FUNCTION invoices_guard_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    files CONSTANT text[] := ARRAY['status', 'pdf_path', 'pdf_sha256', 'workbook_path', 'workbook_sha256', 'filed_at'];
BEGIN
    IF OLD.status = 'filed' OR (to_jsonb(NEW) - files) IS DISTINCT FROM (to_jsonb(OLD) - files) THEN
        RAISE EXCEPTION 'invoice % is issued: it never changes', OLD.number USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_invoice BEFORE UPDATE ON invoices_invoice
    FOR EACH ROW EXECUTE FUNCTION invoices_guard_invoice();

CREATE TRIGGER final_rows BEFORE DELETE OR TRUNCATE ON invoices_invoice
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON invoices_invoiceline
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON invoices_billedentry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION invoices_guard_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'INSERT' AND NEW.last_number <> 1) OR (TG_OP = 'UPDATE'
        AND (NEW.id, NEW.code, NEW.year, NEW.last_number) IS DISTINCT FROM (OLD.id, OLD.code, OLD.year, OLD.last_number + 1))
    THEN
        RAISE EXCEPTION 'series % % moves by one', NEW.code, NEW.year USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_series BEFORE INSERT OR UPDATE ON invoices_numberseries
    FOR EACH ROW EXECUTE FUNCTION invoices_guard_series();

CREATE TRIGGER final_rows BEFORE DELETE OR TRUNCATE ON invoices_numberseries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION invoices_number_is_used() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM invoices_invoice WHERE series_id = NEW.id AND serial = NEW.last_number) THEN
        RAISE EXCEPTION 'number % of series % % has no invoice', NEW.last_number, NEW.code, NEW.year
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER number_is_used AFTER INSERT OR UPDATE ON invoices_numberseries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoices_number_is_used();

CREATE FUNCTION invoices_lines_add_up() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    wrong text;
BEGIN
    SELECT i.number INTO wrong FROM invoices_invoice i JOIN invoices_invoiceline l ON l.invoice_id = i.id
        WHERE i.id IN (SELECT invoice_id FROM new_rows) GROUP BY i.id
        HAVING count(*) <> i.line_count OR sum(l.gross_fen) <> i.total_fen
            OR sum(l.net_fen) <> i.net_fen OR sum(l.tax_fen) <> i.tax_fen LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the lines of invoice % do not make its total', wrong USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER lines_add_up AFTER INSERT ON invoices_invoiceline
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION invoices_lines_add_up();

CREATE FUNCTION invoices_entries_add_up() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    wrong text;
BEGIN
    SELECT i.number INTO wrong FROM invoices_invoice i JOIN invoices_billedentry e ON e.invoice_id = i.id
        WHERE i.id IN (SELECT invoice_id FROM new_rows) GROUP BY i.id
        HAVING count(*) <> i.entry_count OR sum(e.fen) <> i.total_fen LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the entries of invoice % do not make its total', wrong USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entries_add_up AFTER INSERT ON invoices_billedentry
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION invoices_entries_add_up();

CREATE FUNCTION invoices_invoice_is_complete() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM invoices_invoiceline WHERE invoice_id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM invoices_billedentry WHERE invoice_id = NEW.id)
        OR NOT EXISTS (SELECT 1 FROM invoices_numberseries WHERE id = NEW.series_id AND NEW.serial <= last_number) THEN
        RAISE EXCEPTION 'invoice % is not complete', NEW.number USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER invoice_is_complete AFTER INSERT ON invoices_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION invoices_invoice_is_complete();
"""

UNDO = """
DROP TRIGGER invoice_is_complete ON invoices_invoice;
DROP FUNCTION invoices_invoice_is_complete();
DROP TRIGGER entries_add_up ON invoices_billedentry;
DROP FUNCTION invoices_entries_add_up();
DROP TRIGGER lines_add_up ON invoices_invoiceline;
DROP FUNCTION invoices_lines_add_up();
DROP TRIGGER number_is_used ON invoices_numberseries;
DROP FUNCTION invoices_number_is_used();
DROP TRIGGER final_rows ON invoices_numberseries;
DROP TRIGGER guard_series ON invoices_numberseries;
DROP FUNCTION invoices_guard_series();
DROP TRIGGER final_rows ON invoices_billedentry;
DROP TRIGGER final_rows ON invoices_invoiceline;
DROP TRIGGER final_rows ON invoices_invoice;
DROP TRIGGER guard_invoice ON invoices_invoice;
DROP FUNCTION invoices_guard_invoice();
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_initial"), ("identity", "0002_final_rows")]
    operations = [migrations.RunSQL(SQL, UNDO)]
