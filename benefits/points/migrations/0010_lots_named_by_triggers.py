"""A new lot names a wallet, and a grant of its own budget; triggers see to that, and to its staying so, without a key.

Stronger than the three foreign keys that go: a lot is in a wallet and of its grant's budget. Grants and budgets are
never deleted, so what a lot named when it was written is there for good.
"""

import django.db.models.deletion
from django.db import migrations, models

SQL = """
CREATE FUNCTION points_place_lots() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows n WHERE NOT EXISTS (
            SELECT FROM points_account a WHERE a.id = n.wallet_id AND a.kind = 'wallet'))
        OR EXISTS (SELECT FROM (SELECT DISTINCT grant_id, budget_id FROM new_rows) n WHERE NOT EXISTS (
            SELECT FROM points_grant g WHERE g.id = n.grant_id AND g.budget_id = n.budget_id)) THEN
        RAISE 'foreign key: a lot names a wallet, or a grant of its budget, that is not there'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER place_lots AFTER INSERT ON points_lot
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION points_place_lots();

CREATE FUNCTION points_keep_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a lot stays in its wallet and of its grant' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER keep_place BEFORE UPDATE OF wallet_id, grant_id, budget_id ON points_lot
    FOR EACH ROW EXECUTE FUNCTION points_keep_place();

CREATE TRIGGER keep_all BEFORE DELETE OR TRUNCATE ON points_grant
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_all BEFORE DELETE OR TRUNCATE ON points_budget
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION points_keep_budget_of_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a grant stays of its budget' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER keep_budget BEFORE UPDATE OF budget_id ON points_grant
    FOR EACH ROW EXECUTE FUNCTION points_keep_budget_of_grant();
"""

UNDO = """
DROP TRIGGER keep_budget ON points_grant;
DROP FUNCTION points_keep_budget_of_grant();
DROP TRIGGER keep_all ON points_budget;
DROP TRIGGER keep_all ON points_grant;
DROP TRIGGER keep_place ON points_lot;
DROP FUNCTION points_keep_place();
DROP TRIGGER place_lots ON points_lot;
DROP FUNCTION points_place_lots();
"""


class Migration(migrations.Migration):
    dependencies = [("points", "0009_cheaper_grants")]
    operations = [
        migrations.AlterField(
            model_name="lot",
            name="wallet",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="points.account",
            ),
        ),
        migrations.AlterField(
            model_name="lot",
            name="grant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="points.grant",
            ),
        ),
        migrations.AlterField(
            model_name="lot",
            name="budget",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="points.budget",
            ),
        ),
        migrations.RunSQL(SQL, UNDO),
    ]
