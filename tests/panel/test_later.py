"""What is asked for again and again is done once, after a pause."""

import asyncio

from camwidget.panel.later import after_pause


def test_without_an_event_loop_it_is_done_at_once() -> None:
    done: list[int] = []

    assert after_pause(None, 60.0, done.append, 1) is None
    assert done == [1]


def test_what_was_asked_for_before_the_pause_ended_is_given_up() -> None:
    done: list[int] = []

    async def ask_three_times() -> None:
        asked = None
        for number in range(3):
            asked = after_pause(asked, 0.01, done.append, number)
        assert done == []
        while not done:
            await asyncio.sleep(0.01)
        after_pause(asked, 0.01, done.append, 3)  # what has been done is no hindrance
        while len(done) < 2:
            await asyncio.sleep(0.01)

    asyncio.run(ask_three_times())
    assert done == [2, 3]
