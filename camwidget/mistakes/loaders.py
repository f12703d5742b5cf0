"""Which pictures there are: in a fastai or PyTorch loader, in a folder, or in a list of files.

What reads them is made of functions of this module and their first arguments, so it can be sent to another machine.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
)

from camwidget.errors import ClassError, DataError, clipped, nearest, three_parts
from camwidget.maps.arguments import Explainable, LearnerLike, network_of
from camwidget.mistakes.source import Source, some_names, two_of
from camwidget.pictures.decode import open_image
from camwidget.pictures.inputs import prepared

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
"""A file of a folder with one of these endings is a picture."""

BATCH_SIZE = 32
"""How many pictures are run at once, where no loader says it."""

Files = Sequence[tuple[str | Path, str | int]]
"""Files with their labels: names or indices of classes."""


def source_of(
    model: Explainable, data: Any, *, class_names: Sequence[str], batch_size: int | None, workers: int | None
) -> Source:
    """Return where to read from.

    Args:
        model: a Learner or module.
        data: None for the Learner's validation set; a fastai or PyTorch loader; a folder with a folder per class; or
            pairs of a path and a label.
        class_names: the names of the model's classes; may be empty.
        batch_size: how many pictures are run at once; None for the loader's own, or `BATCH_SIZE`.
        workers: how many processes read; None for the loader's own, or none.

    Raises:
        ClassError: a folder or a label is no class of the model.
        DataError: there is no data, or it is of no form that is known.
    """
    _check_counts(batch_size, workers)
    if data is None and not isinstance(model, nn.Module):
        learner: LearnerLike = model
        data = learner.dls.valid
    if isinstance(data, str | Path):
        data = files_in(data)
        if not class_names:
            class_names = sorted({str(label) for _, label in data})
    if isinstance(data, Sequence) and not isinstance(data, str):
        return _from_files(model, data, class_names, batch_size or BATCH_SIZE, workers or 0)
    if hasattr(data, "do_item") and hasattr(data, "after_batch"):
        return _from_fastai(data, batch_size, workers)
    if isinstance(data, DataLoader):
        return _from_torch(data, class_names, batch_size, workers)
    given = "There is no data: dl is None" if data is None else f"dl is a {type(data).__name__}"
    allowed = "It is a fastai or PyTorch data loader, a folder with a folder per class, or pairs (path, label)"
    advice = "With a torch module pass a loader: find_mistakes(model, loader)"
    raise DataError(three_parts(given, allowed, advice if data is None else "Wrap a data set in a DataLoader"))


def _check_counts(batch_size: Any, workers: Any) -> None:
    for name, value, least in (("batch_size", batch_size, 1), ("workers", workers, 0)):
        if value is not None and (not hasattr(value, "__index__") or isinstance(value, bool) or value < least):
            allowed = f"It is a whole number, {least} or more"
            raise DataError(three_parts(f"{name} is {value!r}", allowed, "Leave it out for the loader's own"))


def files_in(folder: str | Path) -> list[tuple[Path, str]]:
    """Return the pictures of a folder that has a folder for each class, with their labels.

    Args:
        folder: the folder.

    Raises:
        DataError: there is no such folder, or no picture in folders within it.
    """
    place = Path(folder).expanduser()
    found = sorted(path for path in place.glob("*/**/*") if path.suffix.lower() in ENDINGS)
    if found:
        return [(path, path.relative_to(place).parts[0]) for path in found]
    given = f"{str(folder)!r} has no pictures in folders" if place.is_dir() else f"There is no folder {str(folder)!r}"
    allowed = "A folder of pictures has one folder for each class, such as cat/1.jpg"
    advice = "For other labels pass pairs: find_mistakes(learn, [(path, label), ...])"
    raise DataError(three_parts(given, allowed, advice))


def _from_files(
    model: Explainable, data: Sequence[Any], class_names: Sequence[str], batch_size: int, workers: int
) -> Source:
    if not data:
        raise DataError(three_parts("The list of files is empty", "At least one is needed", "Check the folder"))
    if not all(isinstance(each, tuple | list) and len(each) == 2 for each in data):
        given = f"dl is a list whose first element is {clipped(repr(data[0]), longest=60)}"
        raise DataError(three_parts(given, "A list holds pairs (path, label)", "Try [(path, label), ...]"))
    labels = _known(data, class_names)
    paths = [os.path.abspath(path) for path, _ in data]  # noqa: PTH100 (a Path for each of 50,000 takes seconds)
    root = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120 (the same)
    reader = _learner_reader(model, paths) if not isinstance(model, nn.Module) else _module_reader(model, paths)
    read, collate = reader
    return Source(
        read=partial(_read_with_label, read, labels),
        collate=partial(_collate_with_labels, collate),
        order=partial(_in_order, len(data), batch_size),
        count=len(data),
        class_names=tuple(class_names),
        root=root,
        paths=[os.path.relpath(path, root) for path in paths],
        workers=workers,
    )


def _read_with_label(read: Callable[[int], Any], labels: Sequence[int], index: int) -> tuple[Any, int]:
    return read(index), labels[index]


def _collate_with_labels(collate: Callable[[list[Any]], Any], samples: list[Any]) -> tuple[Any, Tensor]:
    return collate([sample for sample, _ in samples]), torch.tensor([label for _, label in samples])


def _known(data: Files, class_names: Sequence[str]) -> list[int]:
    """The index of each label; names that are no classes are refused together, before anything is run."""
    index_of = {name: index for index, name in enumerate(class_names)}
    unknown = sorted({str(label) for _, label in data if isinstance(label, str) and label not in index_of})
    if unknown:
        close = nearest(unknown[0], class_names)
        advice = f"Did you mean {close[0]!r}?" if close else "Rename the folders, or leave these files out"
        given = f"There are labels that are no classes: {some_names(unknown)}"
        raise ClassError(three_parts(given, f"Classes are {some_names(class_names)}", advice))
    return [index_of[label] if isinstance(label, str) else int(label) for _, label in data]


def _learner_reader(learner: LearnerLike, paths: Sequence[str]) -> tuple[Callable[[int], Any], Callable[..., Any]]:
    """How a Learner reads pictures: with its own transforms for validation."""
    loader = learner.dls.test_dl([Path(path) for path in paths], num_workers=0)
    _as_in_validation(loader)
    return loader.do_item, partial(_fastai_pictures, loader)


def _module_reader(model: nn.Module, paths: Sequence[str]) -> tuple[Callable[[int], Any], Callable[..., Any]]:
    return partial(_read_prepared, network_of(model), paths), torch.stack


def _read_prepared(network: nn.Module, paths: Sequence[str], index: int) -> Tensor:
    return prepared(network, open_image(paths[index])).inputs[0]


def _from_fastai(loader: Any, batch_size: int | None, workers: int | None) -> Source:
    count = len(loader.dataset)
    if not count:
        raise DataError(three_parts("The data loader is empty", "It needs pictures", "Check how the data was split"))
    _as_in_validation(loader)
    vocab = getattr(loader, "vocab", ()) or ()
    paths = _absolute(getattr(loader.dataset, "items", ()), count)
    root = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""  # noqa: PTH120
    return Source(
        read=loader.do_item,
        collate=partial(_fastai_two, loader),
        order=partial(_in_order, count, batch_size or loader.bs or BATCH_SIZE),
        count=count,
        class_names=tuple(map(str, vocab)) if not isinstance(vocab, str) else (),
        root=root,
        paths=[os.path.relpath(path, root) for path in paths],
        workers=workers or 0,
    )


def _as_in_validation(loader: Any) -> None:
    """Turn random changes off, whichever set it reads: fastai does so by the number of the set, before a pass."""
    for name in ("after_item", "before_batch", "after_batch"):
        pipeline = getattr(loader, name)
        if hasattr(pipeline, "split_idx"):
            pipeline.split_idx = 1


def _fastai_batch(loader: Any, samples: list[Any]) -> Any:
    from fastai.torch_core import to_device  # noqa: PLC0415 (who has such a loader has fastai)

    return loader.after_batch(to_device(loader.create_batch(loader.before_batch(samples)), loader.device))


def _fastai_pictures(loader: Any, samples: list[Any]) -> Any:
    return _fastai_batch(loader, samples)[0]


def _fastai_two(loader: Any, samples: list[Any]) -> tuple[Any, Any]:
    return two_of(_fastai_batch(loader, samples))


def _from_torch(
    loader: "DataLoader[Any]", class_names: Sequence[str], batch_size: int | None, workers: int | None
) -> Source:
    data = loader.dataset
    if isinstance(data, IterableDataset) or loader.batch_sampler is None:
        if loader.batch_sampler is None and not isinstance(data, IterableDataset):
            given = "The loader has batch_size=None"
            raise DataError(three_parts(given, "It must make batches", "Give it a batch_size"))
        if batch_size is not None:
            given = f"batch_size={batch_size} was given for data that is read in one stream"
            raise DataError(three_parts(given, "Its loader makes the batches", "Give the loader its batch_size"))
        return Source(read=_no_place, collate=two_of, order=list, count=None, stream=loader)
    if not len(loader):
        raise DataError(three_parts("The data loader is empty", "It needs pictures", "Check how the data was split"))
    every = len(data)  # type: ignore[arg-type]  # a data set that a sampler draws from has a length
    paths = _absolute([_torch_path(data, index) for index in range(every)], every)
    root = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""  # noqa: PTH120
    return Source(
        read=data.__getitem__,
        collate=partial(_torch_two, loader.collate_fn),
        order=partial(_each_once, loader, batch_size),
        count=len(loader.sampler) if _by_itself(loader) and _draws_once(loader.sampler) else None,  # type: ignore[arg-type]
        class_names=tuple(map(str, _torch_names(data) or class_names)),
        root=root,
        paths=[os.path.relpath(path, root) for path in paths],
        workers=loader.num_workers if workers is None else workers,
    )


def _draws_once(sampler: Any) -> bool:
    """Whether it is known that a sampler draws no place twice, and so how many there will be."""
    once = isinstance(sampler, SequentialSampler | SubsetRandomSampler)
    return once or (isinstance(sampler, RandomSampler) and not sampler.replacement)


def _by_itself(loader: "DataLoader[Any]") -> bool:
    """Whether a loader makes batches of what its sampler draws, one after the other."""
    return type(loader.batch_sampler) is BatchSampler


def _each_once(loader: "DataLoader[Any]", batch_size: int | None) -> Iterator[list[int]]:
    """The places that a loader draws, each the first time: a picture that is drawn twice is still one picture."""
    if batch_size is None and not _by_itself(loader):
        drawn: Iterable[Any] = loader.batch_sampler or ()
    else:
        places = (
            loader.sampler if _by_itself(loader) else (each for some in loader.batch_sampler or () for each in some)
        )
        drawn = _in_batches(places, batch_size or loader.batch_size or BATCH_SIZE)
    seen: set[int] = set()
    for batch in drawn:
        new = [place for place in dict.fromkeys(map(int, batch)) if place not in seen]
        seen.update(new)
        if new:
            yield new


def _no_place(index: int) -> Any:
    given = f"Picture {index} came from a data set that is read in one stream"
    raise DataError(three_parts(given, "Such a data set gives each picture once", "Use a data set with an index"))


def _torch_two(collate: Callable[[list[Any]], Any], samples: list[Any]) -> tuple[Any, Any]:
    return two_of(collate(samples))


def _torch_path(data: Any, index: int) -> str:
    """The path of a picture in a torch data set, through subsets; empty where it has none."""
    while isinstance(data, Subset):
        data, index = data.dataset, data.indices[index]
    samples = getattr(data, "samples", None)
    first = samples[index] if isinstance(samples, Sequence) and index < len(samples) else None
    return str(first[0]) if isinstance(first, tuple | list) and first and isinstance(first[0], str | Path) else ""


def _torch_names(data: Any) -> Sequence[str]:
    while isinstance(data, Subset):
        data = data.dataset
    names = getattr(data, "classes", ())
    return names if isinstance(names, list | tuple) else ()


def _absolute(items: Any, count: int) -> list[str]:
    """The paths of all items, or none where an item is no path."""
    if not hasattr(items, "__iter__") or not hasattr(items, "__len__") or len(items) != count:
        return []
    if not all(isinstance(item, str | Path) and str(item) for item in items):
        return []
    return [os.path.abspath(item) for item in items]  # noqa: PTH100 (a Path for each takes seconds)


def _in_order(count: int, size: int) -> Iterator[list[int]]:
    return _in_batches(range(count), size)


def _in_batches(places: Iterable[int], size: int) -> Iterator[list[int]]:
    batch: list[int] = []
    for place in places:
        batch.append(int(place))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
