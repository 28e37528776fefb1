"""Credit notes, payments, reminders and billing runs; the triggers are set again by the next migration."""

from importlib import import_module
from typing import Any

import billing.models.profile
import core.iso_codes
import django.core.validators
import django.db.models.deletion
from decimal import Decimal
from django.db import migrations, models


def lift_triggers(apps: Any, schema_editor: Any) -> None:
    """SQLite remakes the tables, and with triggers it could not."""
    import_module("billing.migrations.0002_issued_is_issued").drop_triggers(apps, schema_editor)


def set_former_triggers(apps: Any, schema_editor: Any) -> None:
    """As before this migration."""
    import_module("billing.migrations.0002_issued_is_issued").set_triggers(apps, schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0005_other_files_of_an_invoice'),
        ('customers', '0009_who_admits_staff'),
        ('orders', '0010_labels_in_plain_english'),
    ]

    operations = [
        migrations.RunPython(lift_triggers, set_former_triggers),
        migrations.CreateModel(
            name='BankStatement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('identifier', models.CharField(max_length=80, unique=True, verbose_name='statement')),
                ('sha256', models.CharField(max_length=64, unique=True, verbose_name='SHA-256')),
                ('iban', models.CharField(max_length=34, verbose_name='account')),
            ],
            options={
                'verbose_name': 'bank statement',
                'verbose_name_plural': 'bank statements',
                'ordering': ('-pk',),
                'permissions': (('import_bankstatement', 'Can import bank statements'),),
            },
        ),
        migrations.CreateModel(
            name='BankTransaction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('booked_on', models.DateField(verbose_name='booked')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('payer', models.CharField(blank=True, max_length=140, verbose_name='payer')),
                ('payer_iban', models.CharField(blank=True, max_length=34, verbose_name="payer's account")),
                ('remittance', models.CharField(blank=True, max_length=500, verbose_name='reference')),
                ('state', models.CharField(choices=[('open', 'To be matched'), ('matched', 'Matched'), ('ignored', 'Ignored')], default='open', max_length=10, verbose_name='state')),
            ],
            options={
                'verbose_name': 'bank transaction',
                'verbose_name_plural': 'bank transactions',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='BilledPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start', models.DateField(verbose_name='from')),
                ('end', models.DateField(verbose_name='up to')),
            ],
            options={
                'verbose_name': 'billed period',
                'verbose_name_plural': 'billed periods',
                'ordering': ('subscription', 'start'),
            },
        ),
        migrations.CreateModel(
            name='BillingProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('grouping', models.CharField(choices=[('customer', 'One invoice per period'), ('order', 'One invoice per order')], default='customer', max_length=10, verbose_name='invoices')),
                ('invoice_day', models.PositiveSmallIntegerField(blank=True, help_text='Day of the month on which periods begin (1 to 28). Empty: the day on which each order started.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(28)], verbose_name='invoice day')),
                ('payment_days', models.PositiveSmallIntegerField(blank=True, help_text='Empty: as in the settings.', null=True, verbose_name='payment term (days)')),
                ('trial_days', models.PositiveSmallIntegerField(default=0, help_text='For subscriptions that start from now on.', verbose_name='free trial (days)')),
                ('discount', models.DecimalField(decimal_places=2, default=Decimal('0'), help_text='For subscriptions that start from now on; the set-up fee is not discounted.', max_digits=5, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='discount (%)')),
                ('minimum_months', models.PositiveSmallIntegerField(default=0, verbose_name='minimum term (months)')),
                ('notice_days', models.PositiveSmallIntegerField(default=0, verbose_name='notice (days)')),
                ('sends_reminders', models.BooleanField(default=True, verbose_name='send reminders')),
                ('may_suspend', models.BooleanField(default=True, verbose_name='suspend when unpaid')),
            ],
            options={
                'verbose_name': 'billing profile',
                'verbose_name_plural': 'billing profiles',
            },
        ),
        migrations.CreateModel(
            name='BillingRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('day', models.DateField(verbose_name='billed up to')),
                ('due', models.PositiveIntegerField(default=0, verbose_name='due')),
                ('billed', models.PositiveIntegerField(default=0, verbose_name='periods billed')),
                ('invoices', models.PositiveIntegerField(default=0, verbose_name='invoices')),
                ('totals', models.JSONField(blank=True, default=dict, verbose_name='total')),
                ('problems', models.JSONField(blank=True, default=list, verbose_name='problems')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
            ],
            options={
                'verbose_name': 'billing run',
                'verbose_name_plural': 'billing runs',
                'ordering': ('-pk',),
                'permissions': (('start_billingrun', 'Can start a billing run'),),
            },
        ),
        migrations.CreateModel(
            name='ExchangeRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3, validators=[core.iso_codes.validate_currency], verbose_name='currency')),
                ('published_on', models.DateField(verbose_name='published')),
                ('per_euro', models.DecimalField(decimal_places=6, max_digits=14, verbose_name='one euro is worth')),
            ],
            options={
                'verbose_name': 'exchange rate',
                'verbose_name_plural': 'exchange rates',
                'ordering': ('currency', '-published_on'),
            },
        ),
        migrations.CreateModel(
            name='LocationEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('kind', models.CharField(choices=[('bank', 'Bank account'), ('ip', 'IP address'), ('phone', 'Telephone number'), ('other', 'Other')], max_length=10, verbose_name='kind')),
                ('country', models.CharField(max_length=2, verbose_name='country')),
                ('note', models.CharField(blank=True, max_length=250, verbose_name='note')),
            ],
            options={
                'verbose_name': 'location evidence',
                'verbose_name_plural': 'location evidence',
            },
        ),
        migrations.CreateModel(
            name='Mandate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('reference', models.CharField(max_length=35, unique=True, verbose_name='mandate reference')),
                ('signed_on', models.DateField(verbose_name='signed')),
                ('account_holder', models.CharField(max_length=70, verbose_name='account holder')),
                ('iban', models.CharField(max_length=34, validators=[billing.models.profile.validate_iban], verbose_name='IBAN')),
                ('bic', models.CharField(blank=True, max_length=11, verbose_name='BIC')),
                ('scheme', models.CharField(choices=[('CORE', 'Core'), ('B2B', 'Business to business')], default='CORE', max_length=4, verbose_name='scheme')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('used_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='first used')),
            ],
            options={
                'verbose_name': 'SEPA mandate',
                'verbose_name_plural': 'SEPA mandates',
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='updated')),
                ('kind', models.CharField(choices=[('received', 'Received'), ('refund', 'Refund')], default='received', max_length=10, verbose_name='kind')),
                ('method', models.CharField(choices=[('transfer', 'Bank transfer'), ('debit', 'Direct debit'), ('whmcs', 'WHMCS'), ('other', 'Other')], default='transfer', max_length=10, verbose_name='method')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('received_on', models.DateField(verbose_name='date')),
                ('reference', models.CharField(blank=True, max_length=140, verbose_name='reference')),
                ('used', models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=14, verbose_name='used')),
            ],
            options={
                'verbose_name': 'payment',
                'verbose_name_plural': 'payments',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='PendingCharge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('description', models.CharField(max_length=300, verbose_name='description')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='amount')),
                ('start', models.DateField(verbose_name='from')),
                ('end', models.DateField(verbose_name='up to')),
            ],
            options={
                'verbose_name': 'pending charge',
                'verbose_name_plural': 'pending charges',
            },
        ),
        migrations.CreateModel(
            name='PriceChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('price', models.DecimalField(decimal_places=2, max_digits=12, verbose_name='price')),
                ('description', models.CharField(blank=True, max_length=250, verbose_name='description')),
                ('effective_on', models.DateField(verbose_name='effective')),
                ('announced_at', models.DateTimeField(verbose_name='announced')),
            ],
            options={
                'verbose_name': 'price change',
                'verbose_name_plural': 'price changes',
                'ordering': ('effective_on',),
            },
        ),
        migrations.CreateModel(
            name='Reminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sent_at', models.DateTimeField(verbose_name='sent')),
                ('has_suspended', models.JSONField(blank=True, default=list, verbose_name='orders suspended')),
            ],
            options={
                'verbose_name': 'reminder',
                'verbose_name_plural': 'reminders',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='ReminderStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('days', models.SmallIntegerField(help_text='Negative: before it.', unique=True, verbose_name='days after the due date')),
                ('subject', models.CharField(max_length=150, verbose_name='subject')),
                ('text', models.TextField(help_text='{number}, {amount}, {due} and {name} are filled in.', verbose_name='text')),
                ('suspends', models.BooleanField(default=False, help_text='Orders on the invoice are suspended with this reminder.', verbose_name='suspend the orders')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
            ],
            options={
                'verbose_name': 'reminder step',
                'verbose_name_plural': 'reminder plan',
                'ordering': ('days',),
            },
        ),
        migrations.CreateModel(
            name='Settlement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                ('settled_on', models.DateField(verbose_name='date')),
            ],
            options={
                'verbose_name': 'settlement',
                'verbose_name_plural': 'settlements',
            },
        ),
        migrations.CreateModel(
            name='VatRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2, validators=[core.iso_codes.validate_country], verbose_name='country')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('rate', models.DecimalField(decimal_places=2, max_digits=5, verbose_name='rate (%)')),
            ],
            options={
                'verbose_name': 'VAT rate',
                'verbose_name_plural': 'VAT rates',
                'ordering': ('country', '-valid_from'),
            },
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='one_invoice_per_period',
        ),
        migrations.RemoveConstraint(
            model_name='invoice',
            name='invoice_paid_has_a_day',
        ),
        migrations.AddField(
            model_name='invoice',
            name='corrects',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credit_notes', to='billing.invoice', verbose_name='corrects'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='euro_rate',
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=14, null=True, verbose_name='one euro is worth'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='euro_rate_on',
            field=models.DateField(blank=True, null=True, verbose_name='exchange rate published'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='evidence',
            field=models.JSONField(blank=True, default=dict, verbose_name="evidence of the buyer's country"),
        ),
        migrations.AddField(
            model_name='invoice',
            name='kind',
            field=models.CharField(choices=[('invoice', 'Invoice'), ('credit_note', 'Credit note')], default='invoice', max_length=12, verbose_name='kind'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='reason',
            field=models.CharField(blank=True, max_length=300, verbose_name='reason'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='settled',
            field=models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=14, verbose_name='settled'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='tax_in_euro',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True, verbose_name='VAT in euros'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='corrects',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credits', to='billing.invoiceline', verbose_name='corrects'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='order',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order', verbose_name='order'),
        ),
        migrations.AddField(
            model_name='subscription',
            name='anchor_on',
            field=models.DateField(blank=True, help_text='From this day periods are whole; before it, prorated.', null=True, verbose_name='periods begin'),
        ),
        migrations.AddField(
            model_name='subscription',
            name='billing_problem',
            field=models.CharField(blank=True, help_text='Why the billing run could not bill it.', max_length=250, verbose_name='billing problem'),
        ),
        migrations.AddField(
            model_name='subscription',
            name='discount',
            field=models.DecimalField(decimal_places=2, default=Decimal('0'), max_digits=5, verbose_name='discount (%)'),
        ),
        migrations.AddField(
            model_name='subscription',
            name='minimum_until',
            field=models.DateField(blank=True, null=True, verbose_name='minimum term ends'),
        ),
        migrations.AddField(
            model_name='subscription',
            name='notice_days',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='notice (days)'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='order',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='orders.order', verbose_name='order'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='state',
            field=models.CharField(choices=[('open', 'Open'), ('paid', 'Paid'), ('credited', 'Credited')], default='open', max_length=10, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='invoice',
            name='subscription',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='billing.subscription', verbose_name='subscription'),
        ),
        migrations.AlterField(
            model_name='subscription',
            name='period',
            field=models.CharField(choices=[('month', 'month'), ('quarter', 'quarter'), ('year', 'year')], max_length=7, verbose_name='period'),
        ),
        migrations.AlterField(
            model_name='subscription',
            name='started_on',
            field=models.DateField(help_text='The first day that is charged, after any free trial.', verbose_name='billed from'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('corrects__isnull', True), ('kind', 'invoice')), models.Q(('corrects__isnull', False), ('kind', 'credit_note')), _connector='OR'), name='credit_note_corrects_an_invoice'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('settled__gte', 0), ('settled__lte', models.F('gross'))), name='invoice_settled_within_total'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('paid_on__isnull', True), ('state', 'open')), models.Q(('paid_on__isnull', False), ('state__in', ('paid', 'credited'))), _connector='OR'), name='invoice_paid_has_a_day'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(('discount__gte', 0), ('discount__lte', 100)), name='subscription_discount_percentage'),
        ),
        migrations.AddField(
            model_name='banktransaction',
            name='statement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='transactions', to='billing.bankstatement', verbose_name='statement'),
        ),
        migrations.AddField(
            model_name='billedperiod',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='billed_periods', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='billedperiod',
            name='subscription',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='billed_periods', to='billing.subscription', verbose_name='subscription'),
        ),
        migrations.AddField(
            model_name='billingprofile',
            name='customer',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='billing_profile', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddConstraint(
            model_name='exchangerate',
            constraint=models.UniqueConstraint(fields=('currency', 'published_on'), name='one_exchange_rate_per_day'),
        ),
        migrations.AddConstraint(
            model_name='exchangerate',
            constraint=models.CheckConstraint(condition=models.Q(('per_euro__gt', 0)), name='exchange_rate_positive'),
        ),
        migrations.AddField(
            model_name='locationevidence',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='location_evidence', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='mandate',
            name='customer',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='mandate', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='payment',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='payment',
            name='transaction',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payment', to='billing.banktransaction', verbose_name='transaction'),
        ),
        migrations.AddField(
            model_name='pendingcharge',
            name='invoice',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='pendingcharge',
            name='subscription',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pending_charges', to='billing.subscription', verbose_name='subscription'),
        ),
        migrations.AddField(
            model_name='pricechange',
            name='subscription',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='price_changes', to='billing.subscription', verbose_name='subscription'),
        ),
        migrations.AddField(
            model_name='reminder',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='reminder',
            name='step',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='billing.reminderstep', verbose_name='step'),
        ),
        migrations.AddField(
            model_name='settlement',
            name='credit_note',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='offsets', to='billing.invoice', verbose_name='credit note'),
        ),
        migrations.AddField(
            model_name='settlement',
            name='invoice',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='settlements', to='billing.invoice', verbose_name='invoice'),
        ),
        migrations.AddField(
            model_name='settlement',
            name='payment',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='settlements', to='billing.payment', verbose_name='payment'),
        ),
        migrations.AddField(
            model_name='settlement',
            name='refund',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunded', to='billing.payment', verbose_name='refund'),
        ),
        migrations.AddConstraint(
            model_name='vatrate',
            constraint=models.UniqueConstraint(fields=('country', 'valid_from'), name='one_vat_rate_per_day'),
        ),
        migrations.AddConstraint(
            model_name='vatrate',
            constraint=models.CheckConstraint(condition=models.Q(('rate__gte', 0), ('rate__lte', 100)), name='vat_rate_is_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='banktransaction',
            constraint=models.UniqueConstraint(fields=('statement', 'position'), name='transaction_once_per_statement'),
        ),
        migrations.AddConstraint(
            model_name='banktransaction',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='transaction_positive'),
        ),
        migrations.AddConstraint(
            model_name='billedperiod',
            constraint=models.UniqueConstraint(fields=('subscription', 'start'), name='period_billed_once'),
        ),
        migrations.AddConstraint(
            model_name='billedperiod',
            constraint=models.UniqueConstraint(fields=('subscription', 'end'), name='period_ends_once'),
        ),
        migrations.AddConstraint(
            model_name='billedperiod',
            constraint=models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='billed_period_forward'),
        ),
        migrations.AddConstraint(
            model_name='billingprofile',
            constraint=models.CheckConstraint(condition=models.Q(('discount__gte', 0), ('discount__lte', 100)), name='profile_discount_percentage'),
        ),
        migrations.AddConstraint(
            model_name='billingprofile',
            constraint=models.CheckConstraint(condition=models.Q(('invoice_day__isnull', True), models.Q(('invoice_day__gte', 1), ('invoice_day__lte', 28)), _connector='OR'), name='profile_invoice_day_in_every_month'),
        ),
        migrations.AddConstraint(
            model_name='locationevidence',
            constraint=models.UniqueConstraint(fields=('customer', 'kind'), name='one_evidence_of_a_kind'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(condition=models.Q(('used__lt', models.F('amount'))), fields=['customer'], name='payment_unused'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payment_positive'),
        ),
        migrations.AddConstraint(
            model_name='payment',
            constraint=models.CheckConstraint(condition=models.Q(('used__gte', 0), ('used__lte', models.F('amount'))), name='payment_used_within_amount'),
        ),
        migrations.AddIndex(
            model_name='pendingcharge',
            index=models.Index(condition=models.Q(('invoice__isnull', True)), fields=['subscription'], name='charge_pending'),
        ),
        migrations.AddConstraint(
            model_name='pendingcharge',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='charge_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='pricechange',
            constraint=models.UniqueConstraint(fields=('subscription', 'effective_on'), name='one_price_change_per_day'),
        ),
        migrations.AddConstraint(
            model_name='pricechange',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='price_change_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='reminder',
            constraint=models.UniqueConstraint(fields=('invoice', 'step'), name='reminder_sent_once'),
        ),
        migrations.AddConstraint(
            model_name='settlement',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='settlement_positive'),
        ),
        migrations.AddConstraint(
            model_name='settlement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('credit_note__isnull', True), ('payment__isnull', False)), models.Q(('credit_note__isnull', False), ('payment__isnull', True)), _connector='OR'), name='settlement_has_one_source'),
        ),
        migrations.AddConstraint(
            model_name='settlement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('invoice__isnull', False), ('refund__isnull', True)), models.Q(('invoice__isnull', True), ('refund__isnull', False)), _connector='OR'), name='settlement_has_one_target'),
        ),
    ]
