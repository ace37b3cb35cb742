"""The triggers that keep balances and lots cost less, and refuse what they refused.

Most statements write one posting or one entry: for those, plain updates by primary key instead of joins with the table
of new rows. The guards are asked only about a change that did not come from a trigger. And the triggers see that what a
posting or an entry names is there, which makes the foreign keys dispensable (0006): a key's check locks the row that it
finds, and of the company's own accounts that is one row for every redemption.
"""

from importlib import import_module

from django.db import migrations

POSTINGS = """
CREATE OR REPLACE FUNCTION points_apply_postings() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    _new record;
    _rows int := 0;
    _id bigint;
BEGIN
    FOR _new IN SELECT source_id AS source, destination_id AS destination, fen FROM new_rows LOOP
        _rows := _rows + 1;
        EXIT WHEN _rows > 1;
    END LOOP;
    IF _rows = 1 THEN
        -- In id order, as many are.
        FOR _leg IN 1 .. 2 LOOP
            _id := CASE _leg WHEN 1 THEN least(_new.source, _new.destination)
                ELSE greatest(_new.source, _new.destination) END;
            UPDATE points_account
                SET balance_fen = balance_fen + CASE id WHEN _new.source THEN -_new.fen ELSE _new.fen END
                WHERE id = _id AND balance_fen IS NOT NULL;
            IF NOT FOUND AND NOT EXISTS (SELECT FROM points_account WHERE id = _id) THEN
                RAISE 'foreign key: a posting names account %, which is not there', _id
                    USING ERRCODE = 'foreign_key_violation';
            END IF;
        END LOOP;
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
    SELECT n.id INTO _id FROM (SELECT source_id AS id FROM new_rows UNION SELECT destination_id FROM new_rows) n
        WHERE NOT EXISTS (SELECT FROM points_account a WHERE a.id = n.id) LIMIT 1;
    IF FOUND THEN
        RAISE 'foreign key: a posting names account %, which is not there', _id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
"""

ENTRIES = """
CREATE OR REPLACE FUNCTION points_apply_lot_entries() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    _new record;
    _rows int := 0;
    _id bigint;
BEGIN
    FOR _new IN SELECT lot_id AS lot, posting_id AS posting, fen FROM new_rows LOOP
        _rows := _rows + 1;
        EXIT WHEN _rows > 1;
    END LOOP;
    IF _rows = 1 THEN
        UPDATE points_lot SET remaining_fen = remaining_fen + _new.fen WHERE id = _new.lot;
        IF NOT FOUND OR NOT EXISTS (SELECT FROM points_posting WHERE id = _new.posting) THEN
            RAISE 'foreign key: an entry names lot % and posting %, and one is not there', _new.lot, _new.posting
                USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN NULL;
    END IF;
    PERFORM 1 FROM points_lot WHERE id IN (SELECT lot_id FROM new_rows) ORDER BY id FOR UPDATE;
    UPDATE points_lot l SET remaining_fen = l.remaining_fen + d.fen
        FROM (SELECT lot_id, sum(fen) AS fen FROM new_rows GROUP BY lot_id) d
        WHERE l.id = d.lot_id;
    SELECT n.lot_id INTO _id FROM new_rows n WHERE NOT EXISTS (SELECT FROM points_lot l WHERE l.id = n.lot_id)
        OR NOT EXISTS (SELECT FROM points_posting p WHERE p.id = n.posting_id) LIMIT 1;
    IF FOUND THEN
        RAISE 'foreign key: an entry names lot % or a posting that is not there', _id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
"""

# What is named stays. An account that stores a balance was updated by every posting that names it, so whoever deletes it
# waits for them and then sees them here; the company's own accounts, which are not, are never deleted. Postings are
# final. The same holds for lots and their entries.
GUARDS = """
CREATE FUNCTION points_keep_account() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF OLD.balance_fen IS NULL
        OR EXISTS (SELECT FROM points_posting WHERE source_id = OLD.id)
        OR EXISTS (SELECT FROM points_posting WHERE destination_id = OLD.id) THEN
        RAISE 'foreign key: account % stays, since postings name it', OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER keep_account BEFORE DELETE ON points_account FOR EACH ROW EXECUTE FUNCTION points_keep_account();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON points_account FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION points_keep_lot() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM points_lotentry WHERE lot_id = OLD.id) THEN
        RAISE 'foreign key: lot % stays, since entries name it', OLD.id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER keep_lot BEFORE DELETE ON points_lot FOR EACH ROW EXECUTE FUNCTION points_keep_lot();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON points_lot FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Depth 0 is a statement that no trigger has sent. The conditions are short because they are read anew at every update.
DROP TRIGGER guard_balance ON points_account;
CREATE OR REPLACE FUNCTION points_guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (NEW.id, NEW.balance_fen) IS DISTINCT FROM (OLD.id, OLD.balance_fen) THEN
        RAISE EXCEPTION 'a balance follows from its postings' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_new_balance BEFORE INSERT ON points_account FOR EACH ROW
    WHEN (NEW.balance_fen <> 0) EXECUTE FUNCTION points_guard_balance();
CREATE TRIGGER guard_balance BEFORE UPDATE ON points_account FOR EACH ROW
    WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION points_guard_balance();

DROP TRIGGER guard_lot ON points_lot;
CREATE OR REPLACE FUNCTION points_guard_lot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (NEW.id, NEW.remaining_fen, NEW.granted_fen, NEW.wallet_id)
        IS DISTINCT FROM (OLD.id, OLD.remaining_fen, OLD.granted_fen, OLD.wallet_id) THEN
        RAISE EXCEPTION 'what is left of a lot follows from its entries' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_new_lot BEFORE INSERT ON points_lot FOR EACH ROW
    WHEN (NEW.remaining_fen <> 0) EXECUTE FUNCTION points_guard_lot();
CREATE TRIGGER guard_lot BEFORE UPDATE ON points_lot FOR EACH ROW
    WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION points_guard_lot();
"""

UNDO = """
DROP TRIGGER keep_lot ON points_lot;
DROP TRIGGER keep_all ON points_lot;
DROP TRIGGER guard_new_lot ON points_lot;
DROP FUNCTION points_keep_lot();
DROP TRIGGER keep_account ON points_account;
DROP TRIGGER keep_all ON points_account;
DROP TRIGGER guard_new_balance ON points_account;
DROP FUNCTION points_keep_account();
"""

_before = import_module("benefits.points.migrations.0002_kept_balances")


class Migration(migrations.Migration):
    dependencies = [("points", "0004_their_accounts")]
    operations = [
        migrations.RunSQL(POSTINGS + ENTRIES + GUARDS, UNDO + _before.UNDO + _before.SQL),
    ]
