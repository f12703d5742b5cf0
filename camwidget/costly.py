"""Methods that run the network once per channel, in the panel: a button that says the cost, progress, and a stop."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import ipywidgets
import torch

from camwidget.errors import CamwidgetError
from camwidget.explain import Explainable, Explanation, Picture
from camwidget.prepare import network_of, prepared
from camwidget.render import METHOD_LABELS
from camwidget.scoring import Cost, Progress
from camwidget.untouched import left_as_found

TIMED = 4
"""Pictures in the one batch that is timed."""


class Halted(Exception):  # noqa: N818 (not an error: somebody pressed Stop)
    """The run was stopped."""


def pass_seconds(model: Explainable, picture: Picture) -> float:
    """Return how long the network takes for one picture, from one small batch.

    Args:
        model: see `explain`.
        picture: see `explain`.
    """
    network, (pixels, _) = network_of(model), prepared(model, picture)
    with left_as_found(network), torch.no_grad():
        started = time.perf_counter()
        network(pixels.repeat(TIMED, 1, 1, 1))
        return (time.perf_counter() - started) / TIMED


def not_run(found: Explanation, method: str, *, seconds: float) -> Explanation:
    """Return an explanation by a method that was not run yet: no maps, and for each layer what it would cost.

    Args:
        found: another method's, of the same picture.
        method: the one that was not run.
        seconds: see `pass_seconds`.
    """
    label = METHOD_LABELS[method]
    costs = {layer.name: Cost(layer.channels, seconds * layer.channels) for layer in found.layers}
    reasons = {name: f"{label} was not run here yet. It takes {cost}: press Run." for name, cost in costs.items()}
    return replace(
        found, method=method, layers=(), cams=MappingProxyType({}), readouts=MappingProxyType({}),
        refusals=MappingProxyType(reasons), code=found.code.replace(f'method="{found.method}"', f'method="{method}"'),
    )  # fmt: skip


def joined(before: Explanation, now: Explanation, *, all_of: Explanation) -> Explanation:
    """Return an explanation with the maps of both, for the layers of a third one.

    Args:
        before: what there was of this method.
        now: what has been run since, for the same classes.
        all_of: an explanation that has all layers.
    """
    cams = {**before.cams, **now.cams}
    layers = tuple(layer for layer in all_of.layers if layer.name in cams)
    refusals: Mapping[str, str] = {name: why for name, why in before.refusals.items() if name not in cams}
    return replace(before, layers=layers, cams=MappingProxyType(cams), refusals=MappingProxyType(dict(refusals)))


class CostlyRun(ipywidgets.HBox):
    """A Run button, a progress bar and a Stop button; runs one thing at a time, beside the kernel's own thread.

    Args:
        start: called when Run is pressed; it calls `begin`.
    """

    def __init__(self, start: Callable[[], None]) -> None:
        self.run = ipywidgets.Button(description="Run", tooltip="Run the method shown at the layer shown")
        self.stop = ipywidgets.Button(description="Stop", disabled=True, tooltip="Stop the run; what is shown stays")
        self.progress = ipywidgets.IntProgress(0, min=0, max=1, description="0 %")
        self.progress.layout.visibility = "hidden"
        super().__init__((self.run, self.progress, self.stop))
        self.add_class("camw-costly")
        self.run.on_click(lambda _: start())
        self.stop.on_click(lambda _: self.halt())
        self._halted = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether something is running."""
        return self._thread is not None and self._thread.is_alive()

    def halt(self, *, wait: bool = False) -> None:
        """Ask the run to stop, which it does within a batch.

        Args:
            wait: until it has.
        """
        self._halted.set()
        if wait and self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def begin(self, work: Callable[[Progress], None], told: Callable[[str], None]) -> None:
        """Start a run, unless one is going on.

        Args:
            work: is given what to tell its progress to; runs in a thread of its own.
            told: is told, in words, why it ended early.
        """
        if self.busy:
            return
        self._halted.clear()

        def run() -> None:
            try:
                work(self._note)
            except Halted:
                told(f"Stopped after {self.progress.value:,} of {self.progress.max:,} passes. What was shown stays.")
            except CamwidgetError as error:
                told(str(error))
            finally:
                self._show(running=False)

        self._show(running=True)
        self._thread = threading.Thread(target=run, name="camwidget-costly", daemon=True)
        self._thread.start()

    def _note(self, done: int, total: int) -> None:
        self.progress.max, self.progress.value = total, done
        self.progress.description = f"{done / total:.0%}"
        if self._halted.is_set():
            raise Halted

    def _show(self, *, running: bool) -> None:
        self.run.disabled, self.stop.disabled = running, not running
        self.progress.layout.visibility = "visible" if running else "hidden"
