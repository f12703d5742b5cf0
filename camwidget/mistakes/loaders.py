"""Which pictures there are: in a fastai or PyTorch loader, in a folder, or in a list of files.

What reads them is made of functions of this module and their first arguments, so it can be sent to another machine.
"""

import os
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
)

from camwidget.errors import ClassError, DataError, a_kind, clipped, nearest, three_parts
from camwidget.given import path as path_of
from camwidget.given import told, whole
from camwidget.maps.arguments import Explainable, LearnerLike, network_of
from camwidget.mistakes.source import Source, some_names, two_of
from camwidget.pictures.decode import open_image
from camwidget.pictures.inputs import prepared

ENDINGS = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
"""A file of a folder with one of these endings is a picture."""

BATCH_SIZE = 32
"""How many pictures are run at once, where no loader says it."""

PER_PROCESSOR = 8
"""More processes than this for each processor of the machine do not read: they wait for one another, or it gives up."""

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
    batch_size, workers = _counts(batch_size, workers)
    if data is None and not isinstance(model, nn.Module):
        data = _validation_of(model)
    if isinstance(data, str | PathLike):
        folder, data = data, files_in(data)
        if not class_names:
            class_names = _folders_of_classes(Path(folder).expanduser(), {label for _, label in data})
    if isinstance(data, Sequence) and not isinstance(data, str):
        return _from_files(model, data, class_names, batch_size or BATCH_SIZE, workers or 0)
    if hasattr(data, "do_item") and hasattr(data, "after_batch"):
        return _from_fastai(data, batch_size, workers)
    if isinstance(data, DataLoader):
        return _from_torch(data, class_names, batch_size, workers)
    given = "There is no data: dl is None" if data is None else f"dl is {a_kind(data)}"
    allowed = "It is a fastai or PyTorch data loader, a folder with a folder per class, or pairs (path, label)"
    advice = "With a torch module pass a loader: find_mistakes(model, loader)"
    raise DataError(three_parts(given, allowed, advice if data is None else "Wrap a data set in a DataLoader"))


def _counts(batch_size: Any, workers: Any) -> tuple[int | None, int | None]:
    advice = "Leave it out for the loader's own"
    if batch_size is not None:
        batch_size = whole(batch_size, "batch_size", least=1, try_=advice, error=DataError)
    if workers is not None:
        most = PER_PROCESSOR * (os.cpu_count() or 1)
        workers = whole(workers, "workers", least=0, most=most, try_=advice, error=DataError)
    return batch_size, workers


def _validation_of(learner: LearnerLike) -> Any:
    try:
        return learner.dls.valid
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        given = "The Learner has no validation set"
        allowed = "Without dl its validation set is looked at"
        raise DataError(three_parts(given, allowed, "Pass data: find_mistakes(learn, folder)")) from error


def files_in(folder: str | PathLike[str]) -> list[tuple[str, str]]:
    """Return the pictures of a folder that has a folder for each class, with their labels.

    Folders and files that are hidden (whose names begin with a dot) are left out; links are followed.

    Args:
        folder: the folder.

    Raises:
        DataError: there is no such folder, no picture in folders within it, or a folder that may not be read.
    """
    place = path_of(folder, "dl", try_="Pass the folder that holds a folder for each class", error=DataError)
    found: list[tuple[str, str]] = []
    if place.is_dir():
        try:
            for inside in sorted(place.iterdir()):
                if not inside.name.startswith(".") and inside.is_dir():
                    found += [(path, inside.name) for path in sorted(_pictures_below(str(inside), frozenset()))]
        except OSError as error:
            given = f"{error.filename!r} cannot be listed ({error.strerror})"
            allowed = "All folders of the data are read"
            raise DataError(
                three_parts(given, allowed, "Change its permissions, or pass pairs (path, label)")
            ) from error
    if found:
        return found
    given = f"{str(folder)!r} has no pictures in folders" if place.is_dir() else f"There is no folder {str(folder)!r}"
    allowed = "A folder of pictures has one folder for each class, such as cat/1.jpg"
    advice = "For other labels pass pairs: find_mistakes(learn, [(path, label), ...])"
    raise DataError(three_parts(given, allowed, advice))


def _pictures_below(folder: str, above: frozenset[str]) -> Iterator[str]:
    """The files that are pictures by their names; a link to a folder that it lies in is not followed."""
    real = os.path.realpath(folder)
    if real in above:
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _pictures_below(entry.path, above | {real})
            # A link that leads nowhere costs a row. What is no file at all, such as a pipe, would be waited for.
            elif _is_picture(entry.name) and (entry.is_file() or not os.path.exists(entry.path)):  # noqa: PTH110
                yield entry.path


def _is_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in ENDINGS  # noqa: PTH122 (a Path for each takes seconds)


def _folders_of_classes(place: Path, filled: set[str]) -> list[str]:
    """The names of the folders in their order, also of those that are empty: a class without pictures is one."""
    empty = {path.name for path in place.iterdir() if path.is_dir() and not any(path.iterdir())}
    return sorted(filled | {name for name in empty if not name.startswith((".", "__"))})


def _from_files(
    model: Explainable, data: Sequence[Any], class_names: Sequence[str], batch_size: int, workers: int
) -> Source:
    if not data:
        raise DataError(three_parts("The list of files is empty", "At least one is needed", "Check the folder"))
    if not all(isinstance(each, tuple | list) and len(each) == 2 for each in data):
        given = f"dl is a list whose first element is {clipped(repr(data[0]), longest=60)}"
        raise DataError(three_parts(given, "A list holds pairs (path, label)", "Try [(path, label), ...]"))
    labels = _known(data, class_names)
    paths = [_path_in_pair(path) for path, _ in data]
    reader = _learner_reader(model, paths) if not isinstance(model, nn.Module) else _module_reader(model, paths)
    read, collate = reader
    return Source(
        read=partial(_read_with_label, read, labels),
        collate=partial(_collate_with_labels, collate),
        order=partial(_in_order, len(data), batch_size),
        count=len(data),
        class_names=tuple(class_names),
        root=_root_of(paths),
        file=paths.__getitem__,
        label=labels.__getitem__,
        workers=workers,
    )


def _path_in_pair(path: Any) -> str:
    """A whole path. It stays the same text where it was one, so nothing is kept twice."""
    if isinstance(path, str | PathLike) and str(path) and "\0" not in str(path):
        text = os.fspath(path)
        return text if os.path.isabs(text) else os.path.abspath(text)  # noqa: PTH100, PTH117 (a Path takes seconds)
    given = f"A pair holds {told(path)} for a path"
    raise DataError(three_parts(given, "A list holds pairs (path, label)", 'Try [("cat/1.jpg", "cat"), ...]'))


def _root_of(paths: Iterable[str]) -> str:
    """The folder that all files lie in; empty if there are none, or no such folder."""
    folders = {os.path.abspath(folder) for folder in {os.path.dirname(path) for path in paths}}  # noqa: PTH100, PTH120
    try:
        return os.path.commonpath(folders) if folders else ""
    except ValueError:  # on several drives
        return ""


def _read_with_label(read: Callable[[int], Any], labels: Sequence[int], index: int) -> tuple[Any, int]:
    return read(index), labels[index]


def _collate_with_labels(collate: Callable[[list[Any]], Any], samples: list[Any]) -> tuple[Any, Tensor]:
    return collate([sample for sample, _ in samples]), torch.tensor([label for _, label in samples])


def _known(data: Files, class_names: Sequence[str]) -> list[int]:
    """The index of each label; names that are no classes are refused together, before anything is run."""
    if not class_names and any(_is_name(label) for _, label in data):
        label = next(label for _, label in data if _is_name(label))
        given = f"There is a label {told(label)}, and the model has no names for its classes"
        raise ClassError(three_parts(given, "Labels by name need names", "Pass class_names in the model's order"))
    index_of = {name: index for index, name in enumerate(class_names)}
    unknown = sorted({str(label) for _, label in data if _is_name(label) and str(label) not in index_of})
    if unknown:
        close = nearest(unknown[0], class_names)
        advice = f"Did you mean {close[0]!r}?" if close else "Rename the folders, or leave these files out"
        given = f"There are labels that are no classes: {some_names(unknown)}"
        raise ClassError(three_parts(given, f"Classes are {some_names(class_names)}", advice))
    advice = "Pass the name or the number of a class with each path"
    return [
        index_of[str(label)]
        if _is_name(label)
        else whole(label, f"The label of {told(path)}", try_=advice, error=DataError)
        for path, label in data
    ]


def _is_name(label: Any) -> bool:
    """Whether a label is a name; True and False are, as in a fastai Learner that tells cats from others."""
    return isinstance(label, str | bool)


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
    items = getattr(loader.dataset, "items", ())
    has_paths = _all_paths(items, count)
    return Source(
        read=loader.do_item,
        collate=partial(_fastai_two, loader),
        order=partial(_in_order, count, batch_size or loader.bs or BATCH_SIZE),
        count=count,
        class_names=tuple(map(str, vocab)) if not isinstance(vocab, str) else (),
        root=_root_of(map(str, items)) if has_paths else "",
        file=partial(_item, items) if has_paths else None,
        label=partial(_fastai_label, loader),
        workers=workers or 0,
    )


def _item(items: Any, index: int) -> str:
    return str(os.path.abspath(items[index]))  # noqa: PTH100 (a Path for each takes seconds)


def _all_paths(items: Any, count: int) -> bool:
    if not hasattr(items, "__iter__") or not hasattr(items, "__len__") or len(items) != count:
        return False
    return all(isinstance(item, str | Path) and str(item) for item in items)


def _fastai_label(loader: Any, index: int) -> int | None:
    """The class of an item whose picture cannot be read: what makes the label reads no picture, mostly."""
    lists: Any = getattr(loader.dataset, "tls", ())
    try:
        return _as_label(lists[1][index]) if len(lists) == 2 else None
    except Exception:  # noqa: BLE001 (functions of others raise what they like; then the class is not known)
        return None


def _as_label(label: Any) -> int | None:
    single = hasattr(label, "__index__") and not isinstance(label, bool) and getattr(label, "ndim", 0) == 0
    return int(label) if single else None


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
    data, names = loader.dataset, tuple(map(str, _torch_names(loader.dataset) or class_names))
    if isinstance(data, IterableDataset) or loader.batch_sampler is None:
        if loader.batch_sampler is None and not isinstance(data, IterableDataset):
            given = "The loader has batch_size=None"
            raise DataError(three_parts(given, "It must make batches", "Give it a batch_size"))
        if batch_size is not None:
            given = f"batch_size={batch_size} was given for data that is read in one stream"
            raise DataError(three_parts(given, "Its loader makes the batches", "Give the loader its batch_size"))
        return Source(read=_no_place, collate=two_of, order=list, count=None, class_names=names, stream=loader)
    if not hasattr(data, "__len__"):
        given = f"The data set is {a_kind(data)} without a length"
        raise DataError(three_parts(given, "Its pictures are counted", "Give its class a method __len__"))
    every, sampler = len(data), loader.sampler
    if not every or (_by_itself(loader) and hasattr(sampler, "__len__") and not len(sampler)):  # type: ignore[arg-type]
        raise DataError(three_parts("The data loader is empty", "It needs pictures", "Check how the data was split"))
    has_paths = all(_torch_path(data, index) for index in range(every))
    return Source(
        read=data.__getitem__,
        collate=partial(_torch_two, loader.collate_fn),
        order=partial(_each_once, loader, batch_size),
        count=len(sampler) if _by_itself(loader) and _draws_once(sampler) else None,  # type: ignore[arg-type]
        class_names=names,
        root=_root_of(_torch_path(data, index) for index in range(every)) if has_paths else "",
        file=partial(_torch_path, data) if has_paths else None,
        label=partial(_torch_label, data),
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


def _inside(data: Any, index: int) -> tuple[Any, int]:
    """The data set that a picture is from, and its place there, through subsets and data sets that were joined."""
    while isinstance(data, Subset | ConcatDataset):
        if isinstance(data, Subset):
            data, index = data.dataset, int(data.indices[index])
        else:
            part = bisect_right(data.cumulative_sizes, index)
            index -= data.cumulative_sizes[part - 1] if part else 0
            data = data.datasets[part]
    return data, index


def _torch_sample(data: Any, index: int) -> tuple[Any, ...]:
    """What a torch data set notes of a picture, as torchvision's do: path and label; empty if it does not."""
    data, index = _inside(data, index)
    samples = getattr(data, "samples", None)
    sample = samples[index] if isinstance(samples, Sequence) and index < len(samples) else ()
    return tuple(sample) if isinstance(sample, tuple | list) else ()


def _torch_path(data: Any, index: int) -> str:
    """The path of a picture in a torch data set; empty where it has none."""
    sample = _torch_sample(data, index)
    return str(sample[0]) if sample and isinstance(sample[0], str | Path) else ""


def _torch_label(data: Any, index: int) -> int | None:
    sample = _torch_sample(data, index)
    return _as_label(sample[1]) if len(sample) >= 2 else None


def _torch_names(data: Any) -> Sequence[str]:
    if isinstance(data, Subset):
        return _torch_names(data.dataset)
    if isinstance(data, ConcatDataset):
        found = [tuple(_torch_names(part)) for part in data.datasets]
        if len(set(found)) > 1:
            given = f"Data sets were joined whose classes are {' and '.join(some_names(each) for each in found[:2])}"
            allowed = "A label must mean the same class in all of them"
            raise ClassError(three_parts(given, allowed, "Find the mistakes of each, and join them: cw.Found.joined"))
        return found[0]
    names = getattr(data, "classes", ())
    return names if isinstance(names, list | tuple) else ()


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
