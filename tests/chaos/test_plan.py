"""The same seed plays the same sequence, and every kind of fault falls in it."""

from __future__ import annotations

from orders.choices import OrderAction
from tests.chaos.plan import KILLS, STRUCK, VERBS, Fault, draw_plan

FEW = {"orders": 24, "faults": 28, "kills": 14, "seconds": 75.0}


def test_the_same_seed_plays_the_same_sequence() -> None:
    assert draw_plan(4711, **FEW) == draw_plan(4711, **FEW)
    assert draw_plan(4711, **FEW).faults != draw_plan(4712, **FEW).faults


def test_more_orders_leave_the_faults_of_a_seed_as_they_are() -> None:
    more = draw_plan(4711, orders=300, faults=28, kills=14, seconds=75.0)
    assert more.faults == draw_plan(4711, **FEW).faults
    assert len(more.lives) == 300


def test_every_kind_of_fault_falls_in_a_short_run_too() -> None:
    for seed in range(20):
        assert {planned.fault for planned in draw_plan(seed, **FEW).faults} == set(Fault)


def test_as_many_processes_are_killed_as_asked_for_besides_the_other_faults() -> None:
    for seed in range(20):
        many = draw_plan(seed, orders=0, faults=80, kills=200, seconds=600.0).faults
        assert sum(KILLS.get(planned.fault, 0) for planned in many) == 200
        assert sum(planned.fault not in KILLS for planned in many) == 80


def test_a_run_asks_for_everything_that_an_order_can_be_asked_for() -> None:
    lives = draw_plan(1, orders=300, faults=0, kills=0, seconds=75.0).lives
    asked = {verb for life in lives for verb, _is_hasty in life.verbs}
    assert asked == {*VERBS, OrderAction.REMOVE}
    assert {is_hasty for life in lives for _verb, is_hasty in life.verbs} == {True, False}
    assert sum(verb == OrderAction.REMOVE for life in lives for verb, _is_hasty in life.verbs) > 100


def test_faults_come_in_the_order_of_time_and_within_it() -> None:
    moments = [planned.at for planned in draw_plan(5, **FEW).faults]
    assert moments == sorted(moments)
    assert 0 < moments[0] < moments[-1] < 75


def test_each_fault_of_an_outside_part_names_the_part_and_what_it_is_then() -> None:
    assert {fault for fault in Fault if fault.name.endswith(("_DOWN", "_SLOW"))} - STRUCK.keys() == {
        Fault.MAIL_DOWN,
        Fault.MAIL_SLOW,
        Fault.CLOUD_DOWN,
        Fault.CLOUD_SLOW,
        Fault.ENDPOINTS_DOWN,
    }
    assert {(name, state) for name in ("zabbix", "engine", "gitlab", "whmcs") for state in ("is_down", "is_slow")} == {
        *STRUCK.values()
    }
