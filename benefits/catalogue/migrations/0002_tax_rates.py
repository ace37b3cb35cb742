"""VAT rates by category and first day. Source: the rates in force in mainland China; mobile data is a basic
telecom service (9 %) from 2026-01-01 and was a value-added one (6 %) before. An adviser confirms them."""

import datetime

from django.db import migrations

RATES = [
    ("telecom", datetime.date(2019, 4, 1), 900),
    ("telecom_data", datetime.date(2019, 4, 1), 600),
    ("telecom_data", datetime.date(2026, 1, 1), 900),
    ("information", datetime.date(2019, 4, 1), 600),
    ("goods", datetime.date(2019, 4, 1), 1300),
]


def add_rates(apps, schema_editor):
    rate = apps.get_model("catalogue", "TaxRate")
    for category, from_date, rate_bp in RATES:
        rate.objects.get_or_create(category=category, from_date=from_date, defaults={"rate_bp": rate_bp})


class Migration(migrations.Migration):
    dependencies = [("catalogue", "0001_initial")]
    operations = [migrations.RunPython(add_rates, migrations.RunPython.noop)]
