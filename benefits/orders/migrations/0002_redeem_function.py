"""A redemption is decided and written by one call; docs/decisions/0011-a-redemption-is-one-call.md says why and how.

`orders_redeem` is the whole of it and calls `points_hold` for the debit. It carries its schema in its own search path,
so that it works on its company whoever calls. What a person can cause comes back as a refusal with its facts, before
anything is written; whatever else goes wrong is an exception and undoes the call.
"""

from django.db import migrations

# The debit of a wallet that the caller has locked, lot by lot: among the lots that may be spent on this category the
# earliest expiry first, then the oldest; each item takes its part where the one before it stopped. Without enough in
# these lots nothing is written and `debit` is null.
HOLD = """
CREATE FUNCTION points_hold(
    _wallet bigint, _items bigint[], _fens bigint[], _category text, _reference text, _at timestamptz,
    OUT debit bigint, OUT needed bigint, OUT available bigint
) LANGUAGE plpgsql AS $$
DECLARE
    _lots bigint[];
    _left bigint[];
    _lot record;
    _place int := 1;
    _wanted bigint;
    _taken bigint;
BEGIN
    needed := 0;
    FOREACH _wanted IN ARRAY _fens LOOP
        needed := needed + _wanted;
    END LOOP;
    available := 0;
    FOR _lot IN
        SELECT l.id, l.remaining_fen FROM points_lot l JOIN points_budget b ON b.id = l.budget_id
        WHERE l.wallet_id = _wallet AND l.remaining_fen > 0 AND (l.expires_at IS NULL OR l.expires_at > _at)
            AND (b.categories = '{}' OR _category = ANY (b.categories))
        ORDER BY l.expires_at NULLS LAST, l.at, l.id
    LOOP
        _lots := _lots || _lot.id;
        _left := _left || _lot.remaining_fen;
        available := available + _lot.remaining_fen;
        EXIT WHEN available >= needed;
    END LOOP;
    IF available < needed THEN
        RETURN;
    END IF;
    INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at)
        SELECT 'redeem', _wallet, id, needed, _reference, _at FROM points_account WHERE kind = 'held'
        RETURNING id INTO STRICT debit;
    FOR _item IN 1 .. cardinality(_items) LOOP
        _wanted := _fens[_item];
        WHILE _wanted > 0 LOOP
            _taken := least(_wanted, _left[_place]);
            INSERT INTO points_lotentry (lot_id, posting_id, fen, item)
                VALUES (_lots[_place], debit, -_taken, 'item:' || _items[_item]);
            _wanted := _wanted - _taken;
            _left[_place] := _left[_place] - _taken;
            IF _left[_place] = 0 THEN
                _place := _place + 1;
            END IF;
        END LOOP;
    END LOOP;
END $$;
"""

# One deliverable of what is redeemed: the SKU itself, or a part of a bundle with its share of the price.
PART = """
CREATE TYPE orders_part AS (
    sku text, kind text, speed text, name_zh text, name_en text, tax_category text, face_fen bigint, fen bigint
);
"""

REDEEM = """
CREATE FUNCTION orders_redeem(
    _employee bigint, _request_key uuid, _request_digest text, _sku text, _quoted_fen bigint, _phone_index text,
    _number text, _account text, _account_hint text, _delivery_account text, _account_index text,
    _actor text, _actor_id bigint, _address text, _today timestamptz, _at timestamptz,
    OUT refusal text, OUT facts jsonb, OUT placed bigint, OUT debit bigint, OUT product text, OUT name_zh text,
    OUT name_en text
) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    _wallet bigint;
    _of record;  -- what is known of the SKU, the employee and the company
    _parts orders_part[];
    _part orders_part;
    _fens bigint[];
    _items bigint[];
    _used bigint;
    _held record;
    _earlier record;
BEGIN
    -- The wallet row is the lock: one employee's redemptions happen one after another.
    SELECT id INTO _wallet FROM points_account WHERE employee_id = _employee FOR UPDATE;
    SELECT id, request_digest INTO _earlier FROM orders_order
        WHERE employee_id = _employee AND request_key = _request_key;
    IF FOUND THEN
        IF _earlier.request_digest = _request_digest THEN
            placed := _earlier.id;
        ELSE
            refusal := 'request_key_reused';
        END IF;
        RETURN;
    END IF;

    SELECT s.id, s.price_fen, p.kind, p.slug, k.slug AS category,
            p.name_zh || ' ' || s.name_zh AS name_zh, p.name_en || ' ' || s.name_en AS name_en,
            s.speed, s.tax_category, s.face_fen, s.is_active AND p.is_active AS is_active,
            e.status = 'active' OR e.grace_until IS NOT NULL AS may_spend, e.mobile_index,
            c.daily_limit_fen, c.others_allowed, c.schema_name,
            EXISTS (
                SELECT FROM fulfilment_offer o JOIN fulfilment_supplier u ON u.id = o.supplier_id
                WHERE o.sku_code = _sku AND o.is_active AND u.is_active
            ) AS is_deliverable
        INTO _of
        FROM catalogue_sku s JOIN catalogue_product p ON p.id = s.product_id
        JOIN catalogue_category k ON k.id = p.category_id
        JOIN people_employee e ON e.id = _employee
        JOIN tenants_company c ON c.schema_name = current_schema()
        WHERE s.code = _sku;
    IF NOT FOUND THEN
        refusal := 'not_offered';
        RETURN;
    END IF;
    IF _wallet IS NULL OR NOT _of.may_spend THEN
        refusal := 'not_an_employee';
        RETURN;
    END IF;
    IF _of.kind <> 'bundle' THEN
        _part := (_sku, _of.kind, _of.speed, _of.name_zh, _of.name_en, _of.tax_category, _of.face_fen, _of.price_fen);
        _parts := ARRAY[_part];
    ELSE
        -- It can be delivered where every part of it can.
        SELECT array_agg(part ORDER BY part_position, part_id), bool_and(is_deliverable)
            INTO _parts, _of.is_deliverable FROM (
                SELECT (s.code, p.kind, s.speed, p.name_zh || ' ' || s.name_zh, p.name_en || ' ' || s.name_en,
                        s.tax_category, s.face_fen, b.price_fen)::orders_part AS part,
                    b.position AS part_position, b.id AS part_id,
                    EXISTS (
                        SELECT FROM fulfilment_offer o JOIN fulfilment_supplier u ON u.id = o.supplier_id
                        WHERE o.sku_code = s.code AND o.is_active AND u.is_active
                    ) AS is_deliverable
                FROM catalogue_bundlepart b JOIN catalogue_sku s ON s.id = b.part_id
                JOIN catalogue_product p ON p.id = s.product_id
                WHERE b.bundle_id = _of.id
            ) parts;
    END IF;
    IF NOT _of.is_active OR _of.is_deliverable IS NOT TRUE THEN
        refusal := 'not_offered';
        RETURN;
    END IF;
    IF _of.price_fen <> _quoted_fen THEN
        refusal := 'price_changed';
        facts := jsonb_build_object('quoted_fen', _quoted_fen, 'price_fen', _of.price_fen);
        RETURN;
    END IF;
    IF _phone_index <> '' AND _phone_index <> _of.mobile_index AND NOT _of.others_allowed THEN
        refusal := 'others_not_allowed';
        RETURN;
    END IF;
    SELECT coalesce(sum(price_fen), 0) INTO _used FROM orders_order
        WHERE employee_id = _employee AND placed_at >= _today AND status <> 'refunded';
    IF _used + _of.price_fen > _of.daily_limit_fen THEN
        refusal := 'daily_limit';
        facts := jsonb_build_object('limit_fen', _of.daily_limit_fen, 'used_fen', _used);
        RETURN;
    END IF;

    -- The lots' entries name the items, so the ids must be known before the debit is written.
    FOREACH _part IN ARRAY _parts LOOP
        _items := _items || nextval('orders_item_id_seq');
        _fens := _fens || _part.fen;
    END LOOP;
    _held := points_hold(_wallet, _items, _fens, _of.category, 'order:' || _number, _at);
    debit := _held.debit;
    IF debit IS NULL THEN
        refusal := 'insufficient_points';
        facts := jsonb_build_object('needed_fen', _held.needed, 'available_fen', _held.available);
        RETURN;
    END IF;
    INSERT INTO orders_order (number, employee_id, request_key, request_digest, status, sku_code, product_slug,
            name_zh, name_en, price_fen, account, account_hint, debit_id, placed_at)
        VALUES (_number, _employee, _request_key, _request_digest, 'placed', _sku, _of.slug, _of.name_zh,
            _of.name_en, _of.price_fen, _account, _account_hint, debit, _at)
        RETURNING id INTO placed;
    product := _of.slug;
    name_zh := _of.name_zh;
    name_en := _of.name_en;
    FOR _place IN 1 .. cardinality(_parts) LOOP
        _part := _parts[_place];
        INSERT INTO orders_item (id, order_id, position, sku_code, kind, name_zh, name_en, tax_category, face_fen,
                price_fen, status, reason)
            VALUES (_items[_place], placed, _place, _part.sku, _part.kind, _part.name_zh, _part.name_en,
                _part.tax_category, _part.face_fen, _part.fen, 'placed', '');
        INSERT INTO fulfilment_delivery (company, item_id, order_number, sku_code, kind, speed, face_fen, ceiling_fen,
                account, account_hint, account_index, status, reason, due_at, created_at)
            VALUES (_of.schema_name, _items[_place], _number, _part.sku, _part.kind, _part.speed, _part.face_fen,
                _part.fen, _delivery_account, _account_hint, _account_index, 'ready', '', _at, _at);
    END LOOP;
    INSERT INTO identity_auditevent (at, actor, actor_id, action, subject, facts, address)
        VALUES (_at, _actor, _actor_id, 'order.placed', 'orders.order:' || placed,
            jsonb_build_object('fen', _of.price_fen, 'sku', _sku), _address);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0001_initial"),
        ("points", "0002_kept_balances"),
        ("people", "0001_initial"),
        ("identity", "0002_final_rows"),
        ("catalogue", "0001_initial"),
        ("fulfilment", "0001_initial"),
        ("tenants", "0001_initial"),
    ]
    operations = [
        migrations.RunSQL(HOLD, "DROP FUNCTION points_hold"),
        migrations.RunSQL(PART, "DROP TYPE orders_part"),
        migrations.RunSQL(REDEEM, "DROP FUNCTION orders_redeem"),
    ]
