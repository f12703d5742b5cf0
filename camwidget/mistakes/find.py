"""`find_mistakes`: one pass over a data set, and for every picture what was said, what is true, and both maps."""

import warnings
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from tqdm.auto import tqdm

from camwidget.errors import DataError, three_parts
from camwidget.given import yes_or_no
from camwidget.hooks.layers import LayerGiven
from camwidget.maps.activation import Function
from camwidget.maps.arguments import Explainable, checked_names, layers_of, network_of, own_names
from camwidget.mistakes.found import Found
from camwidget.mistakes.loaders import source_of
from camwidget.mistakes.looking import Pass
from camwidget.mistakes.rows import Rows
from camwidget.mistakes.source import EndedError, Source
from camwidget.mistakes.spread import steps_there

_TRIED = 20


def find_mistakes(
    model: Explainable,
    dl: Any = None,
    *,
    layer: LayerGiven | None = None,
    method: str = "grad_cam",
    class_names: Sequence[str] | None = None,
    activation: str | Function | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    progress: bool = True,
    client: Any = None,
) -> Found:
    """Return what the network says of every picture of a data set, with the maps of its answer and of the truth.

    One pass, in batches: one forward pass, and one backward pass to the layer for each of the two classes. Memory grows
    by about 200 bytes a picture and by its maps (two of 7 × 7 cells are 392 bytes); pictures are not kept. Press stop
    (interrupt the kernel) and what was found so far is returned. A picture that cannot be read has a row with the
    reason. Random changes of a picture come out the same each time, so that the pass, the panel and workers see one
    picture. The model and the caller's random numbers are left as found.

    Args:
        model: a fastai Learner or a torch module that tells classes apart, one for each picture.
        dl: None for the Learner's validation set; a fastai or PyTorch data loader, which is read in its own order and
            without its random changes if it is fastai's; a folder with a folder of pictures for each class, of which
            what is hidden (its name begins with a dot) is left out; or a list of pairs (path, label), the label a name
            or an index.
        layer: the layer whose maps are kept, by name or the module itself; None for the deepest.
        method: as for `explain`, but not `"score_cam"`, which needs many passes for each picture.
        class_names: a name for every class; None for the Learner's vocabulary, or what the data calls them.
        activation: what turns logits into probabilities, see `explain`.
        batch_size: how many pictures are run at once; None for the loader's own, or 32.
        workers: how many processes read pictures; None for the loader's own.
        progress: show a bar with the time left.
        client: a `dask.distributed.Client` (extra `cluster`): its workers read and run the pictures, and give the same
            rows. They must see the files at the same paths. A worker that ends loses nothing.

    Raises:
        ClassError: the labels or the names of the data are not those of the model.
        DataError: there is no data, it has more than one label for a picture, nothing in it could be read, or an
            argument is not what is said here.
        LayerError: there is no such layer, or it has no map.
        MapError: there is no such method, or its map would not mean what its name says.
        ModelError: the network does not tell two or more classes apart.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
        >>> pictures = TensorDataset(torch.rand(5, 3, 8, 10), torch.tensor([0, 1, 1, 0, 1]))
        >>> found = find_mistakes(model, DataLoader(pictures, batch_size=2))
        >>> found.maps.shape
        (5, 2, 6, 8)
    """
    network_of(model)  # refuses what is none
    layers = layers_of(layer, model)
    progress = yes_or_no(progress, "progress", try_="Leave it out to see a bar", error=DataError)
    class_names = checked_names(class_names)
    own = class_names if class_names is not None else own_names(model)
    source = source_of(model, dl, class_names=own, batch_size=batch_size, workers=workers)
    asked = {"layers": layers, "class_names": class_names, "activation": activation}
    wanted = Pass(model=model, source=source, method=method, asked=asked, own=own)
    rows, about, stopped, ended = Rows(source.count), None, False, ""
    with tqdm(total=source.count, desc="Looking", unit=" pictures", disable=not progress) as bar:
        steps = wanted.steps() if client is None else steps_there(wanted, client)
        with closing(steps):
            try:
                for step in steps:
                    rows.refuse(step.batch.problems, step.batch.known)
                    if step.seen is not None:
                        rows.add(step.batch.indices, step.seen)
                    about = about or step.about
                    bar.update(step.count)
            except KeyboardInterrupt:
                stopped = True
            except EndedError as error:
                if about is None:
                    raise
                stopped, ended = True, str(error)
    if about is None:
        raise DataError(_nothing(rows, stopped, there=client is not None))
    for doubt in (*about.doubts, ended, "" if client is None else _only_here(rows, source)):
        if doubt:
            warnings.warn(doubt, stacklevel=2)
    return Found.of(
        rows,
        source,
        model,
        places=about.places,
        class_names=about.class_names,
        method=method,
        layer=about.layer,
        size=about.size,
        stopped=stopped,
    )


def _nothing(rows: Rows, stopped: bool, *, there: bool) -> str:
    if stopped:
        given = "The pass was stopped before the first picture"
        return three_parts(given, "What was found until then is kept: nothing", "Run it again")
    if not rows.filled:
        return three_parts("The data is empty", "It must yield pictures", "Check how the data was split")
    first = next(iter(rows.problems.values()))
    given = f"None of {rows.filled} pictures could be read. The first: {first}"
    if there:
        advice = "Put the files where all workers see them, or leave client= out"
        return three_parts(given, "Workers read the pictures, at the same paths as here", advice)
    return three_parts(given, "At least one must be read", "Check the paths and the transforms")


def _only_here(rows: Rows, source: Source) -> str:
    """What to warn of where workers could not read what can be read here; the first few are tried."""
    lost = next((index for index in rows.refused()[:_TRIED] if _reads(source, index)), None)
    if lost is None:
        return ""
    given = f"Workers could not read pictures that can be read here, such as {source.path(lost) or lost!r}"
    return three_parts(given, "They need the files at the same paths", "See found.table.problem for the reasons")


def _reads(source: Source, index: int) -> bool:
    try:
        source.sample(index)
    except Exception:  # noqa: BLE001 (files, decoders and transforms of others raise what they like)
        return False
    return True
