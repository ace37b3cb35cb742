"""What a rule said, and what was rehearsed, is never changed."""

from django.db import migrations

SQL = """
CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON campaigns_ruleversion
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON campaigns_rehearsalrow
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

UNDO = """
DROP TRIGGER final_rows ON campaigns_rehearsalrow;
DROP TRIGGER final_rows ON campaigns_ruleversion;
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial"), ("identity", "0002_final_rows")]
    operations = [migrations.RunSQL(SQL, UNDO)]
