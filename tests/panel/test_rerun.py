"""A cell that is run again puts to sleep what it had shown."""

import gc
import weakref

import ipywidgets
import torch
from ipywidgets.widgets.widget import _instances
from torch import nn

from camwidget.panel.picture import CamPanel
from camwidget.panel.rerun import note_shown, running_cell, sleep


def panel() -> CamPanel:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    return CamPanel(net, torch.randn(1, 3, 20, 26))


def awake(one: ipywidgets.Widget) -> bool:
    return one.comm is not None


def test_the_panel_of_an_earlier_run_sleeps_and_one_that_another_cell_shows_does_not() -> None:
    first, shared, second = panel(), panel(), panel()
    for each in (first, shared):
        note_shown(each, ("a", "1"))
    note_shown(shared, ("b", "1"))

    note_shown(second, ("a", "2"))

    assert [awake(each) for each in (first, first.view, shared, second)] == [False, False, True, True]
    assert not any(each.model_id == first._model_id for each in _instances.values())


def test_two_panels_of_one_run_are_both_awake() -> None:
    one, two = panel(), panel()

    for each in (one, two, one):
        note_shown(each, ("c", "1"))

    assert awake(one)
    assert awake(two)


def test_a_sleeping_panel_keeps_its_state_can_be_set_and_wakes_when_it_is_shown() -> None:
    one = panel()
    sleep(one)
    one.signed = False

    bundle = one._repr_mimebundle_()

    assert awake(one)
    assert awake(one.view)
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == one.model_id
    assert one.view.only_for == 1


def test_nothing_keeps_a_sleeping_panel_that_nobody_holds() -> None:
    one = panel()
    note_shown(one, ("d", "1"))
    gone = [weakref.ref(each) for each in (one, one.view, one.view.layout)]

    note_shown(panel(), ("d", "2"))
    del one
    gc.collect()

    assert [each() for each in gone] == [None] * 3


def test_outside_of_a_notebook_there_is_no_cell() -> None:
    assert running_cell() is None
