"""No search asks for the beginning of an employee number (decision 7), and every row paid for the index of it."""

from django.db import migrations

_DROP = "DROP INDEX people_employee_employee_no_899e590b_like"
_CREATE = "CREATE INDEX people_employee_employee_no_899e590b_like ON people_employee (employee_no varchar_pattern_ops)"


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0002_city_and_probation"),
    ]

    operations = [
        migrations.RunSQL(_DROP, _CREATE),
    ]
