"""Indexes that repeat another one, or that nothing asks: each is written by every redemption or every granted lot."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("points", "0006_references_kept_by_triggers"),
    ]
    operations = [
        migrations.RemoveIndex(
            model_name="lot",
            name="lot_spendable",
        ),
        migrations.AlterField(
            model_name="lot",
            name="grant",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="points.grant",
            ),
        ),
        migrations.AlterField(
            model_name="lot",
            name="wallet",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lots",
                to="points.account",
            ),
        ),
        migrations.AddIndex(
            model_name="lot",
            index=models.Index(fields=["wallet", "expires_at"], name="lot_of_a_wallet"),
        ),
        migrations.RunSQL(
            "DROP INDEX points_posting_reference_aa4bbae3_like",
            "CREATE INDEX points_posting_reference_aa4bbae3_like ON points_posting (reference varchar_pattern_ops)",
        ),
    ]
