"""A table for windows1, stored plain on PostgreSQL: what it stores apart from its row it numbers in order of arrival."""

import django.db.models.deletion
from django.db import migrations, models


def store_plain(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE exchange_windows ALTER COLUMN value SET STORAGE PLAIN")


class Migration(migrations.Migration):

    dependencies = [
        ('exchange', '0002_partner_read'),
    ]

    operations = [
        migrations.CreateModel(
            name='Windows',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('value', models.BinaryField()),
                ('entry', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='windows', to='exchange.entry')),
            ],
        ),
        migrations.AddConstraint(
            model_name='windows',
            constraint=models.CheckConstraint(condition=models.Q(('value__length__in', [4158])), name='windows_are_whole'),
        ),
        migrations.RunPython(store_plain, migrations.RunPython.noop),
    ]
