"""A statement of many postings or entries looks for what it names only where it must, and writes fewer indexes."""

from importlib import import_module

from django.db import migrations

POSTINGS = """
CREATE OR REPLACE FUNCTION points_apply_postings() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    _new record;
    _rows int := 0;
    _named int;
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
    GET DIAGNOSTICS _rows = ROW_COUNT;
    SELECT count(*) INTO _named
        FROM (SELECT source_id AS id FROM new_rows UNION SELECT destination_id FROM new_rows) n;
    IF _rows < _named THEN  -- some are the company's own, or not there
        SELECT n.id INTO _id FROM (SELECT source_id AS id FROM new_rows UNION SELECT destination_id FROM new_rows) n
            WHERE NOT EXISTS (SELECT FROM points_account a WHERE a.id = n.id) LIMIT 1;
        IF FOUND THEN
            RAISE 'foreign key: a posting names account %, which is not there', _id
                USING ERRCODE = 'foreign_key_violation';
        END IF;
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
    _named int;
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
    -- Whoever writes entries of several lots has their wallets, which decide who is first.
    UPDATE points_lot l SET remaining_fen = l.remaining_fen + d.fen
        FROM (SELECT lot_id, sum(fen) AS fen FROM new_rows GROUP BY lot_id) d
        WHERE l.id = d.lot_id;
    GET DIAGNOSTICS _rows = ROW_COUNT;
    SELECT count(DISTINCT lot_id) INTO _named FROM new_rows;
    SELECT n.posting_id INTO _id FROM new_rows n
        WHERE NOT EXISTS (SELECT FROM points_posting p WHERE p.id = n.posting_id) LIMIT 1;
    IF FOUND OR _rows < _named THEN
        RAISE 'foreign key: an entry names a lot or a posting that is not there'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
"""

# Every grant writes each wallet and each new lot once more: with room on its own page that writes no index.
ROOM = """
ALTER TABLE points_account SET (fillfactor = 50);
ALTER TABLE points_lot SET (fillfactor = 50);
"""

UNDO = """
ALTER TABLE points_account RESET (fillfactor);
ALTER TABLE points_lot RESET (fillfactor);
"""

_before = import_module("benefits.points.migrations.0005_cheaper_triggers")


class Migration(migrations.Migration):
    dependencies = [("points", "0008_extensions")]
    operations = [migrations.RunSQL(POSTINGS + ENTRIES + ROOM, UNDO + _before.POSTINGS + _before.ENTRIES)]
