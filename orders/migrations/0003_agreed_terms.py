"""An order keeps what was agreed when it was placed."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0002_resting_part'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='agreed_credit',
            field=models.DecimalField(decimal_places=2, editable=False, max_digits=5, null=True, verbose_name='agreed credit (%)'),
        ),
        migrations.AddField(
            model_name='order',
            name='agreed_currency',
            field=models.CharField(blank=True, default='', editable=False, max_length=3, verbose_name='agreed currency'),
        ),
        migrations.AddField(
            model_name='order',
            name='agreed_period',
            field=models.CharField(blank=True, default='', editable=False, max_length=5, verbose_name='agreed period'),
        ),
        migrations.AddField(
            model_name='order',
            name='agreed_price',
            field=models.DecimalField(decimal_places=2, editable=False, max_digits=12, null=True, verbose_name='agreed price'),
        ),
        migrations.AddField(
            model_name='order',
            name='agreed_promise',
            field=models.DecimalField(decimal_places=2, editable=False, max_digits=5, null=True, verbose_name='agreed availability (%)'),
        ),
        migrations.AddField(
            model_name='order',
            name='agreed_setup_fee',
            field=models.DecimalField(decimal_places=2, editable=False, max_digits=12, null=True, verbose_name='agreed set-up fee'),
        ),
    ]
