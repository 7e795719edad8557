from django.db import migrations, models
from django.db.models import F, Max


def fill(apps, schema_editor):
    Feedback, Partner = apps.get_model("exchange", "Feedback"), apps.get_model("exchange", "Partner")
    for partner in Partner.objects.all():
        said = Feedback.objects.filter(partner=partner).exclude(entry__finder=F("partner"))
        partner.reported = said.aggregate(last=Max("hour"))["last"]
        partner.save()


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0004_handed_page"),
    ]

    operations = [
        migrations.AddField(
            model_name="partner",
            name="reported",
            field=models.IntegerField(null=True),
        ),
        migrations.AddConstraint(
            model_name="partner",
            constraint=models.CheckConstraint(
                condition=models.Q(("reported__range", (400000, 1000000))), name="partner_reported_is_an_hour"
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
