"""Methods that run the network once per channel, in the panel: a button that says the cost, progress, and a stop."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType

import ipywidgets
import torch
from jaxtyping import Float
from torch import Tensor, nn

from camwidget.errors import CamwidgetError
from camwidget.hooks.copies import copied
from camwidget.hooks.layers import Layer
from camwidget.hooks.restore import gpus_of, left_as_found
from camwidget.hooks.turns import random_numbers_left_to_others, random_states
from camwidget.maps.arguments import Explainable, network_of
from camwidget.maps.methods import METHOD_LABELS
from camwidget.maps.score_cam import Cost, Progress, cost_of
from camwidget.pictures.result import Explanation


class Halted(Exception):  # noqa: N818 (not an error: somebody pressed Stop)
    """The run was stopped."""


def estimated_cost(
    model: Explainable, pixels: Float[Tensor, "1 channel height width"], *, layers: Sequence[Layer]
) -> Cost:
    """Return what it would cost to run a method once for each channel of these layers; the model is left as found.

    Args:
        model: see `explain`.
        pixels: the picture, as the network takes it.
        layers: the layers.
    """
    network = network_of(model)
    with left_as_found(network), torch.no_grad():
        return cost_of(network, pixels, passes=sum(layer.channels for layer in layers))


@dataclass(frozen=True)
class Twin:
    """A copy of a network to run beside the notebook, so that the notebook's own stays free, also to be trained.

    To give the notebook's own back between batches would not do: a training step would still meet a batch half-way,
    with batch norm in the wrong mode, or with gradients dropped because a parameter is frozen while `backward` runs.
    """

    network: nn.Module
    """The copy, with the weights of the moment at which it was made."""
    draws: bool
    """Whether it draws random numbers though it is not in training."""

    @contextmanager
    def beside(self) -> Iterator[None]:
        """A block, in a thread of its own, that leaves the notebook's random numbers alone if the network draws none.

        If it does, they are put back at the end, as after any explanation.
        """
        with nullcontext() if self.draws else random_numbers_left_to_others():
            yield


def twin_of(model: Explainable, pixels: Float[Tensor, "1 channel height width"]) -> Twin:
    """Return a copy of a model's network; it is run once, to see whether it draws random numbers.

    Args:
        model: see `explain`.
        pixels: the picture, as the network takes it.

    Raises:
        ModelError: the network cannot be copied.
    """
    network = copied(
        network_of(model),
        why="What runs beside the notebook runs on a copy, so that yours stays free and as it was",
        try_="Run it in a cell: cw.explain(model, image, method='score_cam', layers=[...])",
    )
    with left_as_found(network), torch.no_grad():
        before = random_states(gpus=gpus_of(network))
        network(pixels)
        return Twin(network, draws=random_states(gpus=gpus_of(network)) != before)


def not_run(found: Explanation, method: str, *, cost: Cost | None) -> Explanation:
    """Return an explanation by a method that was not run yet: no maps, and for each layer what it would cost.

    Args:
        found: another method's, of the same picture.
        method: the one that was not run.
        cost: of any number of passes, from which the layers' cost follows; None for a picture it is not offered for.
    """
    label = METHOD_LABELS[method]
    reasons = {
        layer.name: f"{label} was not run here yet. It takes {cost.of(layer.channels)}."
        if cost
        else f"{label} can be run for the first picture only. Compare the two by another method."
        for layer in found.layers
    }
    return replace(
        found,
        method=method,
        layers=(),
        cams=MappingProxyType({}),
        readouts=MappingProxyType({}),
        refusals=MappingProxyType(reasons),
        call=replace(found.call, method=method),
    )


def joined(before: Explanation, now: Explanation, *, offered: Explanation) -> Explanation:
    """Return an explanation with the maps of both, for the layers of a third one.

    Args:
        before: what there was of this method.
        now: what has been run since, for the same classes.
        offered: an explanation that has all layers.
    """
    cams = {**before.cams, **now.cams}
    layers = tuple(layer for layer in offered.layers if layer.name in cams)
    refusals: Mapping[str, str] = {name: why for name, why in before.refusals.items() if name not in cams}
    return replace(before, layers=layers, cams=MappingProxyType(cams), refusals=MappingProxyType(dict(refusals)))


class RunButton(ipywidgets.HBox):
    """A Run button, and while it runs a progress bar and Stop; one thing at a time, beside the kernel's own thread.

    Beside it, so that the kernel notices Stop. What blocks the kernel is announced by the view and has no bar. Nothing
    runs but by the button: a slider never starts it.

    Args:
        start: called when Run is pressed; it calls `begin`.
    """

    def __init__(self, start: Callable[[], None]) -> None:
        self.run = ipywidgets.Button(description="Run", tooltip="Run the method shown at the layer shown")
        self.stop = ipywidgets.Button(description="Stop", tooltip="Stop the run; what is shown stays")
        self.progress = ipywidgets.IntProgress(0, min=0, max=1, style={"description_width": "initial"})
        super().__init__((self.run, self.progress, self.stop))
        self.add_class("camw-run")
        self.run.on_click(lambda _: start())
        self.stop.on_click(lambda _: self.halt())
        self._halted = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # two threads show and hide the same buttons
        self._running, self._offers, self._what = False, False, ""
        self._show()

    @property
    def busy(self) -> bool:
        """Whether something is running."""
        return self._thread is not None and self._thread.is_alive()

    def offer(self, what: str) -> None:
        """Say on the button what it would run, and at what cost; without words there is no button.

        Args:
            what: such as "Score-CAM at layer 0.8: 1,280 passes of the network, about 40 s".
        """
        self._offers = bool(what)
        self.run.description = f"Run {what}".rstrip()  # a button has a name, also where nobody sees it
        self._show()

    def halt(self, *, wait: bool = False) -> None:
        """Ask the run to stop, which it does within a batch.

        Args:
            wait: until it has.
        """
        self._halted.set()
        if wait and self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def begin(self, work: Callable[[Progress], None], report: Callable[[str], None], *, what: str = "") -> None:
        """Start a run, unless one is going on.

        Args:
            work: is given what to tell its progress to; runs in a thread of its own.
            report: is called with a sentence on why it ended early.
            what: runs, for beside the progress bar: one may look at another layer meanwhile.
        """
        if self.busy:
            return
        self._halted.clear()
        self._what = f"{what}: " if what else ""
        self.progress.value, self.progress.description = 0, f"{self._what}0%"

        def run() -> None:
            try:
                work(self._note)
            except Halted:
                report(f"Stopped after {self.progress.value:,} of {self.progress.max:,} passes. What was shown stays.")
            except CamwidgetError as error:
                report(str(error))
            finally:
                self._running = False
                self._show()

        self._running = True
        self._show()
        self._thread = threading.Thread(target=run, name="camwidget-run", daemon=True)
        self._thread.start()

    def _note(self, done: int, total: int) -> None:
        self.progress.max, self.progress.value = total, done
        self.progress.description = f"{self._what}{done / total:.0%}"
        if self._halted.is_set():
            raise Halted

    def _show(self) -> None:
        with self._lock:
            running = self._running
            self.run.disabled, self.stop.disabled = running, not running
            self.run.layout.display = "none" if running or not self._offers else None
            for each in (self.progress, self.stop):
                each.layout.display = None if running else "none"
            self.layout.display = None if running or self._offers else "none"
