"""How the catalogue becomes products, releases and plans."""

from __future__ import annotations

import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from core import clock
from core.engine.controller import work
from core.errors import ConfigError, TransientError
from products.catalogue_import import ImportOutcome, ImportResult
from products.models import CatalogueSync, ConfigRepo, Plan, Product, Release, ReleaseBundle
from products.services import (
    ProductNotReady,
    import_catalogue,
    put_on_sale,
    request_catalogue_sync,
    retire_product,
)
from products.source_check import CheckedSource, check_source
from tests.factories import PlanFactory, ProductFactory, ReleaseFactory, UserFactory, make_draft
from tests.products.conftest import COMPOSE, MANIFEST, write_product

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("remembered_compositions")]


def outcomes() -> dict[str, ImportOutcome]:
    """What a reading of the catalogue does now, by product."""
    return {product.slug: product.outcome for product in import_catalogue().products}


def test_catalogue_becomes_products_releases_and_plans(catalogue: Path) -> None:
    assert outcomes() == {"maps": ImportOutcome.CREATED}
    product = Product.objects.get()
    assert (product.slug, product.name, product.state) == ("maps", "Map server", Product.State.ON_SALE)
    release = product.newest_release
    assert release is not None
    assert release.version == release.digest[:12]
    assert release.bundle.archive
    plans = product.plans.values_list("slug", "price", "setup_fee", "cpus", "ram_gb", "disk_gb")
    assert list(plans) == [
        ("small", Decimal("49.00"), Decimal("0.00"), 1, 2, 20),
        ("large", Decimal("99.90"), Decimal("25.00"), 4, 8, 80),
    ]


def test_what_a_plan_promises_is_kept_with_it(catalogue: Path) -> None:
    import_catalogue()
    assert list(Product.objects.get().plans.values_list("slug", "sla_promise", "sla_credit", "grace_minutes")) == [
        ("small", None, Decimal("0.00"), None),
        ("large", Decimal("99.50"), Decimal("10.00"), 5),
    ]


def test_second_reading_changes_nothing(catalogue: Path) -> None:
    import_catalogue()
    before = [list(model.objects.values()) for model in (Release, ReleaseBundle)]
    assert outcomes() == {"maps": ImportOutcome.UNCHANGED}
    assert [list(model.objects.values()) for model in (Release, ReleaseBundle)] == before


def test_changed_product_has_a_new_release_and_keeps_the_old(catalogue: Path) -> None:
    import_catalogue()
    write_product(catalogue, manifest=MANIFEST.replace("Map server", "Maps"))
    (result,) = import_catalogue().products
    assert (result.outcome, len(result.releases)) == (ImportOutcome.UPDATED, 1)
    assert Product.objects.get().name == "Maps"
    assert [release.manifest["name"] for release in Release.objects.order_by("pk")] == ["Map server", "Maps"]


def test_release_that_is_put_back_is_what_new_orders_get(catalogue: Path) -> None:
    import_catalogue()
    write_product(catalogue, manifest=MANIFEST.replace("Map server", "Maps"))
    import_catalogue()
    write_product(catalogue)
    assert outcomes() == {"maps": ImportOutcome.UPDATED}
    product = Product.objects.get()
    assert product.releases.count() == 2
    assert (
        make_draft(plan=product.plans.first(), release=product.newest_release).release.manifest["name"] == "Map server"
    )


def test_plan_that_vanished_is_retired_and_comes_back(catalogue: Path) -> None:
    import_catalogue()
    write_product(catalogue, manifest=MANIFEST[: MANIFEST.index("  - slug: large")])
    import_catalogue()
    assert dict(Plan.objects.values_list("slug", "state")) == {"small": "offered", "large": "retired"}
    write_product(catalogue)
    import_catalogue()
    assert set(Plan.objects.values_list("state", flat=True)) == {"offered"}


def test_bad_manifest_blocks_nothing_but_itself(catalogue: Path) -> None:
    import_catalogue()
    write_product(catalogue, manifest=MANIFEST.replace('"49.00"', "cheap"))
    write_product(catalogue, "more")
    assert outcomes() == {"maps": ImportOutcome.REFUSED, "more": ImportOutcome.CREATED}
    product = Product.objects.get(slug="maps")
    assert product.import_error.startswith("product.yaml:17: plans[0].price: “cheap” does not have the right form.")
    assert (product.state, product.releases.count()) == (Product.State.ON_SALE, 1)
    write_product(catalogue)
    import_catalogue()
    product.refresh_from_db()
    assert product.import_error == ""


def test_composition_that_cannot_be_read_is_the_only_complaint(catalogue: Path) -> None:
    write_product(catalogue, compose="\t: [")
    import_catalogue()
    (message,) = Product.objects.get(slug="maps").import_error.splitlines()
    assert message.startswith("compose.yaml:1: This is not valid YAML")


def test_product_that_was_never_good_is_shown_but_not_sold(catalogue: Path) -> None:
    folder = write_product(catalogue, "risky", compose="services: {gateway: {image: debian, privileged: true}}")
    (folder / "product.yaml").write_text(MANIFEST.replace("  - slug: small", "  - slug: SMALL"))
    import_catalogue()
    product = Product.objects.get(slug="risky")
    assert product.state == Product.State.RETIRED
    assert product.import_error.splitlines()[0] == (
        "compose.yaml:1: services.gateway.privileged: a privileged container controls the whole server."
    )
    assert product.import_error.splitlines()[1].startswith("product.yaml:15: plans[0].slug: “SMALL”")
    with pytest.raises(ProductNotReady):
        put_on_sale(product=product)


def test_trusted_product_is_imported_whatever_it_asks(catalogue: Path) -> None:
    write_product(catalogue, compose="services: {gateway: {image: debian, privileged: true}}")
    assert outcomes() == {"maps": ImportOutcome.REFUSED}
    Product.objects.update(is_trusted=True)
    assert outcomes() == {"maps": ImportOutcome.UPDATED}
    assert Product.objects.get().state == Product.State.ON_SALE
    Product.objects.update(is_trusted=False)
    assert outcomes() == {"maps": ImportOutcome.REFUSED}


def test_product_that_vanished_is_retired_until_a_person_decides(catalogue: Path) -> None:
    write_product(catalogue, "more")
    import_catalogue()
    shutil.rmtree(catalogue / "products" / "more")
    assert outcomes() == {"maps": ImportOutcome.UNCHANGED, "more": ImportOutcome.RETIRED}
    assert outcomes() == {"maps": ImportOutcome.UNCHANGED}
    write_product(catalogue, "more")
    import_catalogue()
    product = Product.objects.get(slug="more")
    assert (product.state, product.import_error) == (Product.State.RETIRED, "")
    assert put_on_sale(product=product).state == Product.State.ON_SALE


def test_product_that_staff_retired_stays_retired(catalogue: Path) -> None:
    import_catalogue()
    retire_product(product=Product.objects.get())
    write_product(catalogue, compose=COMPOSE + "# newer\n")
    import_catalogue()
    assert Product.objects.get().state == Product.State.RETIRED


def test_unreachable_catalogue_retires_nothing(catalogue: Path, settings: Settings) -> None:
    import_catalogue()
    settings.CATALOGUE_URL = str(catalogue / "nowhere")
    with pytest.raises(ConfigError):
        import_catalogue()
    assert Product.objects.get().state == Product.State.ON_SALE


def test_who_read_the_catalogue_stands_in_the_history(catalogue: Path) -> None:
    user = UserFactory.create(is_staff=True)
    import_catalogue(actor=user)
    import_catalogue(actor=user)
    (entry,) = user.logentry_set.all()
    assert entry.object_repr == "Map server"


def test_worker_syncs_the_catalogue_for_the_requester(catalogue: Path) -> None:
    sync = request_catalogue_sync(actor=UserFactory.create(username="ann", email="ann@example.org"))
    assert request_catalogue_sync() == sync
    work("catalogue", [sync.pk])
    work("catalogue", [sync.pk])
    sync.refresh_from_db()
    assert (sync.requested_by, sync.is_settled, sync.last_error) == ("ann@example.org", True, "")
    assert sync.summary.startswith("maps: created")
    assert request_catalogue_sync() != sync


def test_request_during_a_sync_is_its_next_run(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def push_meanwhile(**options: Any) -> ImportResult:
        with monkeypatch.context() as patched:
            patched.setattr("products.tasks.import_catalogue", import_catalogue)
            write_product(catalogue, "more")
            assert request_catalogue_sync() == sync
            work("catalogue", [sync.pk])  # the message of that request arrives while the sync runs
        return import_catalogue(**options)

    sync = request_catalogue_sync(is_full=False)
    monkeypatch.setattr("products.tasks.import_catalogue", push_meanwhile)
    work("catalogue", [sync.pk])
    sync.refresh_from_db()
    assert (sync.is_settled, sync.is_full) == (False, True)
    assert CatalogueSync.objects.due(clock.now()).get() == sync
    monkeypatch.undo()
    work("catalogue", [sync.pk])
    sync.refresh_from_db()
    assert (sync.is_settled, sync.attempts) == (True, 0)


def test_worker_that_lost_its_lease_stores_nothing_more(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def take_long(*arguments: Any, **options: Any) -> CheckedSource:
        if Product.objects.exists():
            CatalogueSync.objects.update(leased_until=None)
        return check_source(*arguments, **options)

    write_product(catalogue, "more")
    sync = request_catalogue_sync()
    monkeypatch.setattr("products.catalogue_import.check_source", take_long)
    work("catalogue", [sync.pk])
    assert Product.objects.get().slug == "maps"
    repo = ConfigRepo.objects.get()
    assert (repo.position, repo.synced_at, repo.last_error) == ({}, None, "")
    assert CatalogueSync.objects.due(clock.now()).get() == sync


def test_worker_that_lost_its_lease_leaves_no_error_at_the_repository(
    catalogue: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_late(_catalogue: object, _position: object) -> None:
        CatalogueSync.objects.update(leased_until=None)
        raise TransientError("cut off")

    sync = request_catalogue_sync()
    monkeypatch.setattr("products.adapters.folder.catalogue.FolderCatalogue.read_since", fail_late)
    work("catalogue", [sync.pk])
    assert ConfigRepo.objects.get().last_error == ""


def test_import_that_runs_out_of_time_goes_on_at_the_next_visit(
    catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slug in ("more", "third"):
        write_product(catalogue, slug)
    import_catalogue()
    shutil.rmtree(catalogue / "products/third")
    write_product(catalogue, "another")
    with monkeypatch.context() as patched:
        patched.setattr("products.tasks.IMPORT_TIME", timedelta(0))
        sync = request_catalogue_sync()
        work("catalogue", [sync.pk])
    sync.refresh_from_db()
    assert (sync.is_settled, sync.has_failed) == (False, False)
    assert sync.last_error == "0 products are imported; the others follow."
    assert Product.objects.on_sale().count() == 3
    work("catalogue", [sync.pk])
    assert set(Product.objects.on_sale().values_list("slug", flat=True)) == {"another", "maps", "more"}


@pytest.mark.django_db(transaction=True)
def test_check_of_a_release_holds_no_lock(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[bool] = []

    def check(*arguments: Any, **options: Any) -> CheckedSource:
        inside.append(connection.in_atomic_block)
        return check_source(*arguments, **options)

    monkeypatch.setattr("products.catalogue_import.check_source", check)
    import_catalogue()
    assert inside == [False]


def test_sync_that_finds_nothing_asks_little_of_the_database(catalogue: Path) -> None:
    counts = []
    for slugs in (("more",), tuple(f"product-{number}" for number in range(9))):
        for slug in slugs:
            write_product(catalogue, slug)
        import_catalogue()
        with CaptureQueriesContext(connection) as queries:
            import_catalogue(is_full=False)
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 5


def test_worker_says_why_the_catalogue_cannot_be_read(catalogue: Path, settings: Settings) -> None:
    settings.CATALOGUE_URL = str(catalogue / "nowhere")
    sync = request_catalogue_sync()
    work("catalogue", [sync.pk])
    sync = CatalogueSync.objects.get()
    assert sync.has_failed
    assert "check CATALOGUE_URL" in sync.last_error


def test_command_fails_when_a_product_is_refused(catalogue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("catalogue", "sync")
    assert "maps: created" in capsys.readouterr().out
    write_product(catalogue, "bad", compose="services: {}")
    with pytest.raises(CommandError, match="Refused: bad"):
        call_command("catalogue", "sync")
    call_command("catalogue", "sync", "--lenient")


@pytest.mark.parametrize(
    "change", [{"version": "v9"}, {"digest": "f" * 64}, {"manifest": {"name": "x"}}, {"compose": "services: {}"}]
)
def test_database_refuses_to_change_a_release(change: dict[str, object]) -> None:
    release = ReleaseFactory.create()
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Release.objects.filter(pk=release.pk).update(**change)
    release.save()  # saying the same again is no change
    bundle = ReleaseBundle.objects.create(release=release, archive=b"one")
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        ReleaseBundle.objects.filter(pk=bundle.pk).update(archive=b"two")


def test_release_with_orders_cannot_be_deleted() -> None:
    order = make_draft()
    with pytest.raises(ProtectedError):
        order.release.delete()


def test_plan_and_product_outlive_their_orders() -> None:
    plan = PlanFactory.create(product=ProductFactory.create())
    with pytest.raises(ProtectedError):
        plan.product.delete()
