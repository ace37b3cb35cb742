"""Indexes that repeat another one, or that nothing asks: each is written by every redemption."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0002_redeem_function"),
        ("people", "0002_city_and_probation"),
    ]

    operations = [
        migrations.AlterField(
            model_name="item",
            name="order",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="items",
                to="orders.order",
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="employee",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to="people.employee",
            ),
        ),
        migrations.RunSQL(
            "DROP INDEX orders_order_number_abc9e0f2_like",
            "CREATE INDEX orders_order_number_abc9e0f2_like ON orders_order (number varchar_pattern_ops)",
        ),
    ]
