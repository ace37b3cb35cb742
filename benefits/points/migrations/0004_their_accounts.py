"""The accounts that the new moves need, in companies that have their books already; extensions of lots are final."""

from django.db import migrations

SQL = """
INSERT INTO points_account (kind, balance_fen)
SELECT n.kind, n.balance_fen FROM (VALUES ('allotted', 0), ('lapsed', NULL), ('loss', NULL)) AS n(kind, balance_fen)
WHERE EXISTS (SELECT 1 FROM points_account WHERE kind = 'funded');

CREATE TRIGGER final_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON points_lotextension
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

UNDO = """
DROP TRIGGER final_rows ON points_lotextension;
DELETE FROM points_account WHERE kind IN ('allotted', 'lapsed', 'loss');
"""


class Migration(migrations.Migration):
    dependencies = [("points", "0003_more_moves")]
    operations = [migrations.RunSQL(SQL, UNDO)]
