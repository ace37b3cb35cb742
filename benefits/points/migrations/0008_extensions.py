"""A lot's end moves only with its extension, and only later; a refund may extend several lots, each once."""

import django.db.models.deletion
from django.db import migrations, models

SQL = """
CREATE FUNCTION points_guard_expiry() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.expires_at IS DISTINCT FROM OLD.expires_at AND NOT EXISTS (SELECT 1 FROM points_lotextension x
            WHERE x.lot_id = NEW.id AND x.before = OLD.expires_at AND x.after = NEW.expires_at) THEN
        RAISE EXCEPTION 'the end of a lot follows from its extensions' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_expiry BEFORE UPDATE OF expires_at ON points_lot
    FOR EACH ROW EXECUTE FUNCTION points_guard_expiry();

CREATE FUNCTION points_apply_extensions() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    asked bigint;
    extended bigint;
BEGIN
    UPDATE points_lot l SET expires_at = x.after FROM new_rows x, points_posting p
        WHERE l.id = x.lot_id AND l.expires_at = x.before AND p.id = x.posting_id AND p.kind = 'refund';
    GET DIAGNOSTICS extended = ROW_COUNT;
    SELECT count(*) INTO asked FROM new_rows;
    IF extended <> asked THEN
        RAISE EXCEPTION 'only a refund extends a lot, from the end that it has' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER apply_extensions AFTER INSERT ON points_lotextension
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION points_apply_extensions();
"""

UNDO = """
DROP TRIGGER apply_extensions ON points_lotextension;
DROP FUNCTION points_apply_extensions();
DROP TRIGGER guard_expiry ON points_lot;
DROP FUNCTION points_guard_expiry();
"""


class Migration(migrations.Migration):
    dependencies = [("points", "0007_fewer_indexes")]
    operations = [
        migrations.AlterField(
            model_name="lotextension",
            name="posting",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="points.posting"
            ),
        ),
        migrations.AddConstraint(
            model_name="lotextension",
            constraint=models.UniqueConstraint(fields=("posting", "lot"), name="lot_extension_once_a_refund"),
        ),
        migrations.RunSQL(SQL, UNDO),
    ]
