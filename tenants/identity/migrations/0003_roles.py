"""The roles as groups: the company's in a company's schema, the platform's in the public one."""

from django.db import migrations

COMPANY = ("employee", "hr", "approver", "editor", "finance", "admin")
PLATFORM = ("operator", "platform_finance", "platform_admin")


def add_roles(apps, schema_editor):
    group = apps.get_model("auth", "Group")
    names = PLATFORM if schema_editor.connection.schema_name == "public" else COMPANY
    for name in names:
        group.objects.get_or_create(name=name)


class Migration(migrations.Migration):
    dependencies = [("identity", "0002_final_rows"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(add_roles, migrations.RunPython.noop)]
