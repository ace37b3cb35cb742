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
    _wallet bigint, _items text[], _fens bigint[], _category text, _reference text, _at timestamptz,
    OUT debit bigint, OUT needed bigint, OUT available bigint
) LANGUAGE plpgsql AS $$
DECLARE
    _lots bigint[];
    _left bigint[];
BEGIN
    SELECT array_agg(l.id ORDER BY l.expires_at NULLS LAST, l.at, l.id),
            array_agg(l.remaining_fen ORDER BY l.expires_at NULLS LAST, l.at, l.id),
            coalesce(sum(l.remaining_fen), 0)
        INTO _lots, _left, available
        FROM points_lot l JOIN points_budget b ON b.id = l.budget_id
        WHERE l.wallet_id = _wallet AND l.remaining_fen > 0 AND (l.expires_at IS NULL OR l.expires_at > _at)
            AND (b.categories = '{}' OR _category = ANY (b.categories));
    SELECT sum(fen) INTO needed FROM unnest(_fens) AS share(fen);
    IF available < needed THEN
        RETURN;
    END IF;
    INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at)
        SELECT 'redeem', _wallet, a.id, needed, _reference, _at FROM points_account a WHERE a.kind = 'held'
        RETURNING id INTO STRICT debit;
    INSERT INTO points_lotentry (lot_id, posting_id, fen, item)
        SELECT l.id, debit, greatest(l.upto - l.fen, i.upto - i.fen) - least(l.upto, i.upto), i.item
        FROM (SELECT id, fen, sum(fen) OVER (ORDER BY place) AS upto
                FROM unnest(_lots, _left) WITH ORDINALITY AS lots(id, fen, place)) l
        JOIN (SELECT item, fen, place, sum(fen) OVER (ORDER BY place) AS upto
                FROM unnest(_items, _fens) WITH ORDINALITY AS items(item, fen, place)) i
            ON l.upto - l.fen < i.upto AND i.upto - i.fen < l.upto
        ORDER BY i.place, l.upto;
END $$;
"""

REDEEM = """
CREATE FUNCTION orders_redeem(
    _employee bigint, _request_key uuid, _request_digest text, _sku text, _quoted_fen bigint, _phone_index text,
    _number text, _account text, _account_hint text, _delivery_account text, _account_index text,
    _actor text, _actor_id bigint, _address text, _today timestamptz, _at timestamptz,
    OUT refusal text, OUT facts jsonb, OUT placed orders_order
) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    _wallet bigint;
    _of record;  -- what is known of the SKU, the employee and the company
    _parts bigint[];
    _fens bigint[];
    _items bigint[];
    _used bigint;
    _debit record;
BEGIN
    -- The wallet row is the lock: one employee's redemptions happen one after another.
    SELECT id INTO _wallet FROM points_account WHERE employee_id = _employee FOR UPDATE;
    SELECT * INTO placed FROM orders_order WHERE employee_id = _employee AND request_key = _request_key;
    IF FOUND THEN
        IF placed.request_digest <> _request_digest THEN
            refusal := 'request_key_reused';
        END IF;
        RETURN;
    END IF;

    SELECT s.id, s.price_fen, s.name_zh, s.name_en, s.is_active AND p.is_active AS is_active,
            p.slug, p.kind, p.name_zh AS product_zh, p.name_en AS product_en, k.slug AS category,
            e.status = 'active' OR e.grace_until IS NOT NULL AS may_spend, e.mobile_index,
            c.daily_limit_fen, c.others_allowed, c.schema_name
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
    IF _of.kind = 'bundle' THEN
        SELECT array_agg(part_id ORDER BY position, id), array_agg(price_fen ORDER BY position, id)
            INTO _parts, _fens FROM catalogue_bundlepart WHERE bundle_id = _of.id;
    ELSE
        _parts := ARRAY[_of.id];
        _fens := ARRAY[_of.price_fen];
    END IF;
    IF NOT _of.is_active OR _parts IS NULL OR EXISTS (
        SELECT FROM catalogue_sku s WHERE s.id = ANY (_parts) AND NOT EXISTS (
            SELECT FROM fulfilment_offer o JOIN fulfilment_supplier u ON u.id = o.supplier_id
            WHERE o.sku_code = s.code AND o.is_active AND u.is_active)
    ) THEN
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
    SELECT array_agg(nextval('orders_item_id_seq')) INTO _items FROM unnest(_parts);
    SELECT * INTO _debit FROM points_hold(
        _wallet, ARRAY(SELECT 'item:' || id FROM unnest(_items) AS ids(id)), _fens, _of.category,
        'order:' || _number, _at);
    IF _debit.debit IS NULL THEN
        refusal := 'insufficient_points';
        facts := jsonb_build_object('needed_fen', _debit.needed, 'available_fen', _debit.available);
        RETURN;
    END IF;
    INSERT INTO orders_order (number, employee_id, request_key, request_digest, status, sku_code, product_slug,
            name_zh, name_en, price_fen, account, account_hint, debit_id, placed_at)
        VALUES (_number, _employee, _request_key, _request_digest, 'placed', _sku, _of.slug,
            _of.product_zh || ' ' || _of.name_zh, _of.product_en || ' ' || _of.name_en, _of.price_fen, _account,
            _account_hint, _debit.debit, _at)
        RETURNING * INTO placed;
    WITH parts AS (
        SELECT part.item, part.fen, part.place, s.code, s.speed, s.face_fen, s.tax_category, p.kind,
            p.name_zh || ' ' || s.name_zh AS name_zh, p.name_en || ' ' || s.name_en AS name_en
        FROM unnest(_items, _parts, _fens) WITH ORDINALITY AS part(item, sku, fen, place)
        JOIN catalogue_sku s ON s.id = part.sku JOIN catalogue_product p ON p.id = s.product_id
    ), items AS (
        INSERT INTO orders_item (id, order_id, position, sku_code, kind, name_zh, name_en, tax_category, face_fen,
                price_fen, status, reason)
            SELECT item, placed.id, place, code, kind, name_zh, name_en, tax_category, face_fen, fen, 'placed', ''
            FROM parts
    )
    INSERT INTO fulfilment_delivery (company, item_id, order_number, sku_code, kind, speed, face_fen, ceiling_fen,
            account, account_hint, account_index, status, reason, due_at, created_at)
        SELECT _of.schema_name, item, _number, code, kind, speed, face_fen, fen, _delivery_account, _account_hint,
            _account_index, 'ready', '', _at, _at
        FROM parts ORDER BY place;
    INSERT INTO identity_auditevent (at, actor, actor_id, action, subject, facts, address)
        VALUES (_at, _actor, _actor_id, 'order.placed', 'orders.order:' || placed.id,
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
        migrations.RunSQL(REDEEM, "DROP FUNCTION orders_redeem"),
    ]
