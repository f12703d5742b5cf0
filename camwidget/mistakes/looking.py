"""One pass over a source: the network is run on its batches. Here as a plain loop, or in parts on other machines."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from camwidget.errors import ClassError, MapError, ModelError, NotFiniteError, clipped, three_parts
from camwidget.maps.activation import why_no_probability
from camwidget.maps.arguments import Explainable, network_of
from camwidget.mistakes.found import unique
from camwidget.mistakes.rows import Seen
from camwidget.mistakes.source import Batch, Source, some_names
from camwidget.pictures.batch import BatchReader, open_batches
from camwidget.pictures.inputs import as_taken_by, prepared


@dataclass(frozen=True)
class About:
    """What is true of the whole pass, once a picture was seen."""

    class_names: tuple[str, ...]
    """A name for every class."""
    layer: str
    """The layer of the maps."""
    size: tuple[int, int]
    """Height and width of the first picture."""
    places: tuple[int, ...]
    """The model's class for each class of the data."""
    doubts: tuple[str, ...]
    """What to warn of; mostly nothing."""


@dataclass(frozen=True, eq=False)
class Step:
    """What came of one batch."""

    batch: Batch
    """The batch, without its pixels."""
    seen: Seen | None
    """What the network said; None if nothing could be read."""
    about: About | None
    """None before the first picture."""

    @property
    def count(self) -> int:
        """How many pictures it is about."""
        return len(self.batch.indices) + len(self.batch.problems)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pass:
    """One pass over a source, not yet begun. It can be sent to another machine."""

    model: Explainable
    """The model."""
    source: Source
    """Where pictures come from."""
    method: str
    """The method of the maps."""
    asked: dict[str, Any]
    """More for `open_batches`."""
    own: tuple[str, ...]
    """What the learner, or the caller, calls the classes; may be empty."""
    tries: bool = True
    """Whether to try if a picture is the same when it is read again."""

    def steps(self) -> Generator[Step, None, None]:
        """Run the network on everything; yield what came of each batch."""
        with _Looking(self) as looking:
            for batch in self.source.batches():
                try:
                    yield looking.step(batch)
                except NotFiniteError:  # of which picture is found out one by one
                    yield from map(looking.alone, batch.singles())

    def part(self, batches: Sequence[list[int]], *, first: bool = True) -> list[Step]:
        """Return the steps of some batches.

        Args:
            batches: the places in the data, as `source.order()` yields them.
            first: whether they are the first ones.
        """
        count = sum(map(len, batches))
        source = replace(self.source, order=lambda: batches, count=count, workers=0)
        return list(replace(self, source=source, tries=first).steps())


class _Looking:
    """Runs the network on batches; what one size of pictures needs is closed before that of the next is opened."""

    def __init__(self, asked: Pass) -> None:
        self.asked, self.model = asked, asked.model
        self.about: About | None = None
        self._opened: tuple[tuple[int, ...], BatchReader] | None = None
        self._stack = ExitStack()
        self._places: Tensor | None = None
        self._network = network_of(self.model)
        self._tries = asked.tries

    def __enter__(self) -> "_Looking":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def step(self, batch: Batch) -> Step:
        """What comes of a batch."""
        if not batch.finite:
            raise NotFiniteError("The picture holds NaN or infinity, once it is prepared")
        seen = None
        if batch.pixels is not None and batch.labels is not None:
            seen = self.at(batch.pixels, batch.labels, batch.indices)
        return Step(replace(batch, pixels=None, labels=None), seen, self.about)

    def alone(self, batch: Batch) -> Step:
        """What comes of one picture; a row with the reason if the network computes no number from it."""
        try:
            return self.step(batch)
        except NotFiniteError as error:
            problems = dict.fromkeys(batch.indices, clipped(str(error), longest=200))
            labels = [] if batch.labels is None else batch.labels.tolist()
            known = dict(zip(batch.indices, labels, strict=False))
            return Step(Batch([], None, None, problems, known), None, self.about)

    def at(self, pixels: Tensor, labels: Tensor, indices: Sequence[int]) -> Seen:
        """What the network says of a batch, and the maps."""
        as_read = pixels
        pixels = as_taken_by(self._network, pixels)
        shape = tuple(pixels.shape[1:])
        if self._opened is None or self._opened[0] != shape:
            again = _not_the_same(self.asked.source, indices[0], as_read[0]) if self._tries else ""
            self._open(pixels[:1], shape, again)
            self._tries = False
        assert self._opened is not None
        reader, true = self._opened[1], self._true(labels, indices)
        maps = reader.maps(pixels, true_classes=true)
        logs = reader.activation.log_probabilities(maps.logits.double())
        said = maps.target_classes[:, 0]
        first, second = logs.exp().topk(2).values.T
        p_of = logs.exp().gather(1, torch.stack([true, said], dim=1))
        (cams,) = maps.cams.values()
        return Seen(
            true=true,
            said=said,
            p_true=p_of[:, 0],
            p_said=p_of[:, 1],
            margin=first - second,
            loss=-logs.gather(1, true[:, None])[:, 0],
            cams=cams,
        )

    def _open(self, first: Tensor, shape: tuple[int, ...], again: str) -> None:
        self._stack.close()
        self._opened = None
        prepared(self.model, first)  # refuses what is no normalised picture, in words
        asked = self.asked
        reader = self._stack.enter_context(open_batches(self.model, first, method=asked.method, **asked.asked))
        if not reader.activation.is_probability:
            raise MapError(why_no_probability())
        count = len(reader.class_names)
        if count < 2:
            given = f"The model has {count} output"
            raise ModelError(three_parts(given, "A mistake needs two classes or more", "Give it an output per class"))
        if self._places is None:
            names, self._places, doubt = _names_and_places(asked.own, asked.source.class_names, reader.class_names)
            layer = reader.capture.kept[0].layer.name
            places, doubts = tuple(self._places.tolist()), tuple(each for each in (doubt, again) if each)
            self.about = About(unique(names), layer, (shape[1], shape[2]), places, doubts)
        self._opened = (shape, reader)

    def _true(self, labels: Tensor, indices: Sequence[int]) -> Tensor:
        """The model's number for each label of the data."""
        assert self._places is not None
        assert self.about is not None
        lowest, highest = int(labels.min()), int(labels.max())
        if lowest < 0 or highest >= len(self._places):
            wrong = lowest if lowest < 0 else highest
            given = f"Picture {indices[labels.tolist().index(wrong)]} has the label {wrong}"
            allowed = f"The classes are 0 to {len(self._places) - 1}: {some_names(self.about.class_names)}"
            raise ClassError(three_parts(given, allowed, "Count labels from 0, in the order of the model's outputs"))
        return self._places[labels]


def _not_the_same(source: Source, index: int, pixels: Tensor) -> str:
    """What to warn of if a picture is another one when it is read again: nobody can see what the network saw.

    So it is where a transform has a generator of its own, or a `collate_fn` draws.
    """
    if source.stream is not None:
        return ""
    try:
        again = source.one(index)[0]
        same = again.shape == pixels.shape and torch.allclose(again, pixels, rtol=1e-3, atol=1e-3)
    except Exception:  # noqa: BLE001 (whatever others raise: it was read once, and cannot be again)
        same = False
    if same:
        return ""
    given = f"Picture {index} is another one when it is read again"
    allowed = "The picture beside a map is then not the one that the network saw"
    return three_parts(given, allowed, "Leave random changes out, as for validation, or make them from torch's numbers")


def _names_and_places(
    own: Sequence[str], theirs: Sequence[str], read: Sequence[str]
) -> tuple[Sequence[str], Tensor, str]:
    """What the classes are called, the model's class for each class of the data, and what to warn of.

    By name, where the data's names are names of the model; else in their order, which is a doubt where both have names.
    """
    count = len(read)
    if len(own) != count:
        own = ()
    if not theirs:
        return read, torch.arange(count), ""
    if own and set(theirs) <= set(own):
        return own, torch.tensor([list(own).index(name) for name in theirs]), ""
    if len(theirs) != count or (own and set(theirs) & set(own)):
        given = f"The data has the classes {some_names(theirs)}"
        allowed = f"The model has {count}: {some_names(read)}"
        raise ClassError(three_parts(clipped(given, longest=300), allowed, "Pass class_names in the model's order"))
    doubt = ""
    if own:
        doubt = (
            f"The data calls the classes {some_names(theirs)}, the model {some_names(own)}: they are taken in order. "
        )
        doubt += "If that is wrong, pass labels by the model's names."
    return own or theirs, torch.arange(count), doubt
