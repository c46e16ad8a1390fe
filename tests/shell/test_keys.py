"""The queue and the alarm."""

from __future__ import annotations

import threading

from graft_operator.shell.keys import SHARE, Alarm, KeyQueue


def key(name):
    return ("TransferJob", "team", name)


def test_a_key_waits_once_however_often_it_is_added():
    queue = KeyQueue()
    for _ in range(3):
        queue.add(key("a"))
    assert queue.depth()["TransferJob"][0] == 1


def test_a_closed_queue_gives_nothing_out_and_waits_for_what_is_at_work():
    queue = KeyQueue()
    for name in ("a", "b"):
        queue.add(key(name))
    given = queue.get()[0]
    assert not queue.close(seconds=0.01)
    others: list[object] = []
    threading.Thread(target=lambda: others.append(queue.get()), daemon=True).start()
    threading.Timer(0.05, queue.done, (given,)).start()
    assert queue.close(seconds=30)
    assert others == []
    assert queue.depth()["TransferJob"][0] == 1


def test_a_key_that_comes_while_it_is_at_work_comes_again_afterwards():
    queue = KeyQueue()
    queue.add(key("a"))
    assert queue.get()[0] == key("a")
    queue.add(key("a"))
    assert queue.depth() == {}
    queue.done(key("a"))
    assert queue.get()[0] == key("a")


def test_new_jobs_go_first_and_the_others_still_get_their_share():
    queue = KeyQueue()
    for number in range(2 * SHARE):
        queue.add(key(f"new-{number}"), first=True)
    queue.add(key("old"))
    order = [queue.get()[0][2] for _ in range(SHARE)]
    assert "old" in order
    assert order[0] == "new-0"


def test_the_queue_knows_of_new_jobs_until_they_are_taken():
    queue = KeyQueue()
    queue.add(key("old"))
    assert not queue.new()
    queue.add(key("new"), first=True)
    assert queue.new()
    assert queue.get()[0] == key("new")
    assert not queue.new()


def test_a_failed_key_pauses_longer_each_time_and_starts_afresh_after_a_success():
    queue = KeyQueue()
    pauses = []
    for failed in (True, True, True, False, True):
        queue.add(key("a"))
        queue.get()
        pauses.append(queue.done(key("a"), failed=failed))
    assert pauses == [0.5, 1.0, 2.0, 0.0, 0.5]


def test_an_alarm_brings_the_key_at_its_newest_time():
    queue = KeyQueue()
    alarm = Alarm(queue)
    threading.Thread(target=alarm.ring, daemon=True).start()
    alarm.set(key("late"), 3600)
    alarm.set(key("soon"), 3600)
    alarm.set(key("soon"), 0)
    assert queue.get()[0] == key("soon")
    assert alarm.pending() == {"TransferJob": 1}
    alarm.clear(key("late"))
    assert alarm.pending() == {}
