"""Messages are shared between consumers, by priority; none is lost with its consumer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from core import clock
from core.engine.broker import REVERSED_EVERY, QueueBroker
from core.engine.queue import DOCUMENTS, ORDERS, READINGS, Call, enqueue, enqueue_calls

on_postgresql = pytest.mark.skipif(
    "postgresql" not in settings.DATABASES["default"]["ENGINE"], reason="only PostgreSQL skips what others are taking"
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conf, "POLL", 0)


def put(count: int, queue: str = ORDERS) -> None:
    enqueue_calls("time.sleep", [Call((0,), f"{queue} {number}") for number in range(count)], queue=queue)


def names(batch: list[tuple[int, str]] | None) -> list[str]:
    return [SignedPackage.loads(payload)["name"] for _pk, payload in batch or []]


@pytest.mark.django_db
def test_broker_of_the_settings_is_ours() -> None:
    assert isinstance(get_broker(), QueueBroker)


@pytest.mark.django_db
def test_a_schedule_is_sent_by_the_clock_that_all_machines_share(monkeypatch: pytest.MonkeyPatch) -> None:
    right = clock.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: right + timedelta(minutes=3))
    monkeypatch.setattr(clock, "now", lambda: right)
    pk = QueueBroker(list_key=READINGS).enqueue("a signed message")
    assert (OrmQ.objects.get(pk=pk).key, OrmQ.objects.get(pk=pk).lock) == (READINGS, right)


@pytest.mark.django_db
def test_batch_holds_the_oldest_messages_and_no_other_consumer_gets_them() -> None:
    put(Conf.BULK + 1)
    broker, other = QueueBroker(), QueueBroker()
    assert names(broker.dequeue()) == [f"live {number}" for number in range(Conf.BULK)]
    assert names(other.dequeue()) == [f"live {Conf.BULK}"]
    assert broker.dequeue() is None


@pytest.mark.django_db
def test_acknowledged_message_is_gone_and_an_unacknowledged_one_is_due_again(monkeypatch: pytest.MonkeyPatch) -> None:
    put(2)
    broker = QueueBroker()
    [(first, _), (second, _)] = broker.dequeue() or []
    broker.acknowledge(first)
    assert list(OrmQ.objects.values_list("pk", flat=True)) == [second]
    later = clock.now() + timedelta(seconds=Conf.RETRY + 1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert [pk for pk, _payload in QueueBroker().dequeue() or []] == [second]


@pytest.mark.django_db
def test_orders_come_before_readings_and_documents_however_long_those_have_waited() -> None:
    put(2, DOCUMENTS)
    put(1, READINGS)
    put(1, ORDERS)
    assert names(QueueBroker().dequeue()) == ["live 0", "readings 0", "documents 0", "documents 1"]


@pytest.mark.django_db
def test_documents_are_made_even_while_orders_never_end() -> None:
    broker = QueueBroker()
    put(1, DOCUMENTS)
    batches = []
    for _ in range(REVERSED_EVERY):
        put(Conf.BULK)
        batches.append(names(broker.dequeue()))
    assert not any("documents 0" in batch for batch in batches[:-1])
    assert batches[-1][0] == "documents 0"


@pytest.mark.django_db
def test_machine_leaves_the_queues_of_others_alone(settings: Any) -> None:
    put(1, DOCUMENTS)
    settings.QUEUES = [ORDERS, READINGS]
    assert QueueBroker().dequeue() is None
    settings.QUEUES = [DOCUMENTS]
    assert names(QueueBroker().dequeue()) == ["documents 0"]


@pytest.mark.django_db
def test_messages_of_one_request_are_written_by_one_statement() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        put(50)
    assert [query["sql"][:11] for query in queries if "django_q_ormq" in query["sql"]] == ["INSERT INTO"]
    assert OrmQ.objects.count() == 50


@pytest.mark.django_db(transaction=True)
def test_message_goes_with_the_transaction_that_was_rolled_back() -> None:
    with transaction.atomic():
        enqueue("time.sleep", 0)
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(count)]]


@on_postgresql
@pytest.mark.django_db
def test_taking_and_acknowledging_are_one_statement_each() -> None:
    put(3)
    broker = QueueBroker()
    broker.dequeue()
    with CaptureQueriesContext(connection) as queries:
        put(1)
        [(pk, _payload)] = broker.dequeue() or []
        broker.acknowledge(pk)
    assert [query["sql"].split()[0] for query in queries] == ["INSERT", "WITH", "DELETE"]


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_consumers_at_once_take_every_message_exactly_once() -> None:
    put(400)

    def consume() -> list[int]:
        broker, taken = QueueBroker(), list[int]()
        while batch := broker.dequeue():
            taken += [pk for pk, _payload in batch]
        return taken

    shares = in_threads(4, consume)
    everything = [pk for share in shares for pk in share]
    assert len(everything) == len(set(everything)) == 400


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_batch_that_a_consumer_is_taking_holds_nobody_up() -> None:
    put(Conf.BULK * 2)
    with transaction.atomic():
        first = QueueBroker().dequeue() or []
        [second] = in_threads(1, lambda: QueueBroker().dequeue())
    assert len(second) == Conf.BULK
    assert not {pk for pk, _ in first} & {pk for pk, _ in second}
