"""What a pass reads, batch by batch. What cannot be read costs a row, not the run."""

import os
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from camwidget.errors import DataError, a_kind, clipped, nearest, three_parts
from camwidget.hooks.tensors import plain

_LONGEST = 200


@dataclass(frozen=True, eq=False)
class Batch:
    """Neighbours of one size, ready for the network; and what could not be read among them."""

    indices: list[int]
    """Where they are in the data."""
    pixels: Float[Tensor, "batch channel height width"] | None
    """The pictures, prepared; None if there is none."""
    labels: Int[Tensor, " batch"] | None
    """Their classes, as the data numbers them."""
    problems: Mapping[int, str]
    """What could not be read, and why."""
    known: Mapping[int, int] = field(default_factory=dict)
    """Of what could not be read, the class, as the data numbers it, where it is known."""

    @property
    def finite(self) -> bool:
        """Whether the pictures hold no NaN and no infinity."""
        return self.pixels is None or bool(torch.isfinite(self.pixels).all())

    def singles(self) -> "Iterator[Batch]":
        """Yield the same, picture by picture."""
        if self.problems:
            yield Batch([], None, None, self.problems, self.known)
        if self.pixels is not None and self.labels is not None:
            for place, index in enumerate(self.indices):
                here = slice(place, place + 1)
                yield Batch([index], self.pixels[here], self.labels[here], {})


@dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """Where pictures come from: how one is read, and how several become a batch."""

    read: Callable[[int], Any]
    """From a place in the data to a sample: a picture and its label."""
    collate: Callable[[list[Any]], tuple[Any, Any]]
    """From samples to a batch of pictures and one of labels."""
    order: Callable[[], Iterable[list[int]]]
    """The places, batch by batch."""
    count: int | None
    """How many there are, where that is known."""
    class_names: tuple[str, ...] = ()
    """What the data calls its classes; empty if it has no names."""
    root: str = ""
    """The folder that all files lie in, if they lie in one."""
    file: Callable[[int], str] | None = None
    """From a place in the data to the file; None where pictures are no files."""
    label: Callable[[int], int | None] | None = None
    """From a place in the data to the class, without reading the picture; None where nothing tells it."""
    workers: int = 0
    """How many processes read."""
    stream: Iterable[Any] | None = field(default=None, repr=False)
    """For data without places: its batches."""

    def path(self, index: int) -> str:
        """Return the path of a picture within `root`, or the empty string."""
        # Made when it is asked for: the data has these words already, and to keep them once more takes a hundred bytes.
        file = "" if self.file is None else self.file(index)
        return os.path.relpath(file, self.root).replace(os.sep, "/") if self.root else file

    def batches(self) -> Iterator[Batch]:
        """Yield everything, in batches of one size.

        Raises:
            DataError: the data has no single label for each picture.
        """
        if self.stream is not None:
            yield from _streamed(self.stream, self.class_names)
            return
        loader: Iterable[list[_Sample]] = DataLoader(
            _Safely(self.sample),
            batch_sampler=self.order(),  # any iterable of lists will do
            num_workers=self.workers,
            collate_fn=list,
            generator=torch.Generator(),  # or the loader would draw from everybody's random numbers
        )
        for samples in loader:
            yield from self._grouped(samples)

    def sample(self, index: int) -> Any:
        """Return what is read at a place. Random changes come out the same each time.

        Raises:
            Exception: whatever reading it raises.
        """
        with repeated(index):
            return self.read(index)

    def one(self, index: int) -> Float[Tensor, "1 channel height width"]:
        """Return one picture, prepared.

        Raises:
            Exception: whatever reading it raises.
        """
        sample = self.sample(index)
        with repeated(index):
            pixels: Tensor = plain(self.collate([sample])[0].detach())
        return pixels

    def _known(self, indices: Iterable[int]) -> dict[int, int]:
        """The classes of pictures that could not be read, where something else tells them."""
        labels = {} if self.label is None else {index: self.label(index) for index in indices}
        return {index: label for index, label in labels.items() if label is not None}

    def _grouped(self, samples: list["_Sample"]) -> Iterator[Batch]:
        problems = {sample.index: sample.problem for sample in samples if sample.problem}
        sizes: dict[Any, list[_Sample]] = {}
        for sample in samples:
            if not sample.problem:
                sizes.setdefault(_size_of(sample.value), []).append(sample)
        if problems:
            yield Batch([], None, None, problems, self._known(problems))
        for group in sizes.values():
            try:
                yield self._batch(group)
            except DataError:
                raise
            except Exception:  # noqa: BLE001 (a sample that does not fit its neighbours; found out below)
                yield from self._one_by_one(group)

    def _batch(self, group: list["_Sample"]) -> Batch:
        pixels, labels = self.collate([sample.value for sample in group])
        return Batch([sample.index for sample in group], *_checked(pixels, labels, self.class_names), {})

    def _one_by_one(self, group: list["_Sample"]) -> Iterator[Batch]:
        for sample in group:
            try:
                yield self._batch([sample])
            except DataError:
                raise
            except Exception as error:  # noqa: BLE001 (whatever is wrong with this one is told in its row)
                yield Batch([], None, None, {sample.index: _told(error)}, self._known([sample.index]))


@dataclass(frozen=True)
class _Sample:
    index: int
    value: Any
    problem: str


class _Safely(Dataset[_Sample]):
    """Reads a sample, or says why it cannot be read."""

    def __init__(self, read: Callable[[int], Any]) -> None:
        self.read = read

    def __getitem__(self, index: int) -> _Sample:
        try:
            return _Sample(index, self.read(index), "")
        except Exception as error:  # noqa: BLE001 (files, decoders and transforms of others raise what they like)
            return _Sample(index, None, _told(error))


def _told(error: Exception) -> str:
    return clipped(f"{type(error).__name__}: {error}".replace("\n", " "), longest=_LONGEST)


def _size_of(sample: Any) -> Any:
    first = sample[0] if isinstance(sample, tuple | list) and sample else sample
    return tuple(first.shape) if isinstance(first, Tensor) else None


@contextmanager
def repeated(number: int) -> Iterator[None]:
    """Let what draws random numbers draw the same ones each time; everybody else's stay as they were.

    These are Python's, NumPy's and torch's. It costs a fraction of a millisecond.

    Args:
        number: which numbers.
    """
    pythons, numpys, torchs = random.getstate(), np.random.get_state(), torch.default_generator.get_state()
    try:
        random.seed(number)
        np.random.seed(number % 2**32)
        torch.default_generator.manual_seed(number)
        yield
    finally:
        random.setstate(pythons)
        np.random.set_state(numpys)
        torch.default_generator.set_state(torchs)


class EndedError(DataError):
    """What was read ended with an error, a stream or a whole cluster; what came before it is kept."""


def _streamed(stream: Iterable[Any], class_names: Sequence[str]) -> Iterator[Batch]:
    start, batches = 0, iter(stream)
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except Exception as error:
            given = f"The stream ended after {start:,} pictures with an error ({_told(error)})"
            allowed = "What is read in one stream ends where a picture cannot be read"
            advice = "Use a data set with an index: there such a picture costs one row"
            raise EndedError(three_parts(given, allowed, advice)) from error
        pixels, labels = _checked(*two_of(batch), class_names)
        yield Batch(list(range(start, start + len(labels))), pixels, labels, {})
        start += len(labels)


def two_of(batch: Any) -> tuple[Any, Any]:
    """Return the pictures and the labels of a batch.

    Args:
        batch: what a loader yields.

    Raises:
        DataError: it has no labels.
    """
    if isinstance(batch, tuple | list) and len(batch) >= 2:
        return batch[0], batch[1]
    given = f"The loader yields {a_kind(batch)}, not pictures and labels"
    advice = "With fastai make it with labels: learn.dls.test_dl(items, with_labels=True)"
    if isinstance(batch, Mapping):
        keys = [*map(repr, list(batch)[:6]), *(["..."] if len(batch) > 6 else [])]
        given = f"The loader yields {a_kind(batch)} with the keys {', '.join(keys)}"
        advice = "Pass a loader whose collate_fn returns the two, such as (batch['pixel_values'], batch['labels'])"
    raise DataError(three_parts(given, "A batch is (pictures, labels)", advice))


def _checked(pixels: Any, labels: Any, class_names: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Pictures and labels as tensors; labels given by name get their index."""
    if not isinstance(pixels, Tensor) or pixels.ndim != 4:
        allowed = "They must be a tensor of shape (batch, 3, height, width)"
        advice = "Add transforms that end in tensors, such as ToTensor and Normalize"
        raise DataError(three_parts(f"The pictures of a batch are {_shape_of(pixels)}", allowed, advice))
    if isinstance(labels, list | tuple) and labels and all(isinstance(label, str) for label in labels):
        labels = torch.tensor([_index(label, class_names) for label in labels])
    if isinstance(labels, Tensor) and labels.shape == (len(pixels), 1):
        labels = labels[:, 0]
    whole = isinstance(labels, Tensor) and not labels.is_floating_point() and not labels.is_complex()
    if not whole or labels.dtype == torch.bool or labels.shape != (len(pixels),):
        given = f"The labels of {len(pixels)} pictures are {_shape_of(labels)}"
        allowed = "Each picture must have one label, the index of its class"
        raise DataError(three_parts(given, allowed, _why_no_labels(labels, len(pixels))))
    return plain(pixels.detach()), plain(labels.detach()).long().cpu()


def _why_no_labels(labels: Any, count: int) -> str:
    """What to do with labels that are none."""
    again = "from what the loader's collate_fn returns"
    if not isinstance(labels, Tensor):
        return f"Make a tensor of them, torch.tensor(labels), {again}"
    if labels.ndim == 2 and len(labels) == count and labels.shape[1] > 1 and bool(_is_one_hot(labels)):
        return f"They are one-hot: take labels.argmax(dim=1), {again}"
    if labels.ndim == 2 and len(labels) == count and labels.shape[1] > 1:
        return "Several labels for a picture have no single mistake: choose one with a loader of your own"
    if labels.ndim <= 1 and labels.numel() == count and _are_whole(labels):
        return f"They are whole numbers of another kind: take labels.long().view(-1), {again}"
    return "Numbers that are no classes have no mistakes: find_mistakes is for classification"


def _are_whole(labels: Tensor) -> bool:
    numbers = (labels.real if labels.is_complex() else labels).double()
    return bool((numbers == numbers.round()).all())


def _is_one_hot(labels: Tensor) -> Tensor:
    """Whether each row has one 1, and else 0."""
    return (((labels == 0) | (labels == 1)).all() & (labels.sum(dim=1) == 1).all()).cpu()


def _shape_of(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a {str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
    return a_kind(value)


def _index(label: str, class_names: Sequence[str]) -> int:
    if label in class_names:
        return list(class_names).index(label)
    close = nearest(label, class_names)
    advice = f"Did you mean {close[0]!r}?" if close else "Rename the label, or pass class_names"
    raise DataError(three_parts(f"There is a label {label!r}", f"Classes are {some_names(class_names)}", advice))


def some_names(names: Sequence[str]) -> str:
    """Return the first ten names, for a message.

    Args:
        names: of classes.
    """
    return ", ".join([*map(repr, names[:10]), *(["..."] if len(names) > 10 else [])]) or "given by index only"
