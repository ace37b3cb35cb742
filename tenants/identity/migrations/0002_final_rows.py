"""Rows that are final: a function that refuses their change, used by every table of that kind, and audit events."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is final: its rows are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
"""

TRIGGER = """
CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON identity_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("identity", "0001_initial")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION refuse_change()"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER final_rows ON identity_auditevent"),
    ]
