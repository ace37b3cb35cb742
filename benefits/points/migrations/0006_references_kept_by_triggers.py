"""The triggers of 0005 see that what postings and entries name is there; the foreign keys go."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("points", "0005_cheaper_triggers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="lotentry",
            name="lot",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="points.lot",
            ),
        ),
        migrations.AlterField(
            model_name="lotentry",
            name="posting",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lot_entries",
                to="points.posting",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="destination",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="points.account",
            ),
        ),
        migrations.AlterField(
            model_name="posting",
            name="source",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="points.account",
            ),
        ),
    ]
