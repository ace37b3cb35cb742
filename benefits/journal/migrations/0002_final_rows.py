"""What was sealed is final: the database refuses to change or remove it."""

from django.db import migrations

_TABLES = ("journal_entry", "journal_checkpoint", "journal_anchor")


class Migration(migrations.Migration):
    dependencies = [("journal", "0001_initial"), ("identity", "0002_final_rows")]
    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
            f"DROP TRIGGER final_rows ON {table}",
        )
        for table in _TABLES
    ]
