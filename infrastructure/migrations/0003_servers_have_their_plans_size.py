from django.db import migrations


def copy_sizes(apps, schema_editor):
    """Servers from before this column existed were promised what their plan says."""
    Server = apps.get_model("infrastructure", "Server")
    for server in Server.objects.filter(cpus=0, ram_gb=0, disk_gb=0).select_related("order__plan").iterator():
        plan = server.order.plan
        server.cpus, server.ram_gb, server.disk_gb = plan.cpus, plan.ram_gb, plan.disk_gb
        server.placement = plan.placement
        server.save(update_fields=("cpus", "ram_gb", "disk_gb", "placement"))


class Migration(migrations.Migration):
    dependencies = [("infrastructure", "0002_hosts_clouds_and_keys"), ("orders", "0001_start")]

    operations = [migrations.RunPython(copy_sizes, migrations.RunPython.noop)]
