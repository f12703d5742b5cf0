"""`Found`: what a network said of every picture of a data set, with two maps of each; kept as files without pickle."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Self, SupportsIndex

import numpy as np
import pandas as pd
from jaxtyping import Float
from PIL import Image

from camwidget.errors import DataError, ImageError, a_kind, three_parts
from camwidget.given import path as path_of
from camwidget.given import refuse_other_kind, whole
from camwidget.maps.arguments import class_index, network_of
from camwidget.mistakes.rows import Rows
from camwidget.mistakes.source import Source
from camwidget.mistakes.tags import Tags
from camwidget.pictures.decode import open_image
from camwidget.pictures.inputs import prepared
from camwidget.spreadsheet import as_text

_FILES = ("table.csv", "maps.npy", "about.json")
_VERSION = 1
_NUMBERS = ("p_said", "p_true", "margin", "loss")
_COLUMNS = ("path", "true", "said", "right", *_NUMBERS, "problem")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Found:
    """What a network said of every picture. Row numbers are the index of `table`."""

    table: pd.DataFrame
    """A row for each picture, in the order of the data.

    `path` within `root`; `true` and `said`, the class it is and the one the network took it for; `right`; `p_said` and
    `p_true`, the probabilities of the two; `margin`, what the most probable class has more than the next one, small
    where the network doubts; `loss`, minus the natural logarithm of `p_true`; `problem`, why it could not be read,
    mostly empty; then there is no answer and no number, and `true` only where files or folders tell it."""
    maps: Float[np.ndarray, "picture 2 map_height map_width"]
    """Two maps of each picture, of what was said and of what is true, raw and signed; NaN where there is none."""
    class_names: tuple[str, ...]
    """A name for every class."""
    method: str
    """The method of the maps."""
    layer: str
    """The layer of the maps."""
    size: tuple[int, int]
    """Height and width of the network's inputs."""
    root: str
    """The folder that all files lie in; empty where pictures are no files."""
    total: int | None
    """How many pictures the data has, where that is known; more than rows if the pass was stopped."""
    source: Source | None = field(default=None)
    """Where the pictures came from; None after loading."""
    model: Any = None
    """The model; None after loading."""
    tags: Tags = field(default_factory=Tags)
    """What you call single pictures."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tags", self.tags.among(self.table.index))  # no other rows than there are

    @classmethod
    def of(cls, rows: Rows, source: Source, model: Any, *, stopped: bool, **about: Any) -> Self:
        """Return what was found, from the rows of a pass.

        Args:
            rows: filled by the pass.
            source: where the pictures came from.
            model: the model.
            stopped: whether the pass was stopped before the end.
            **about: `class_names`, `method`, `layer` and `size`; and `places`, see `Rows.columns`.
        """
        columns = rows.columns(about.pop("places", ()))
        names = list(about["class_names"])
        unread = columns["said"] < 0
        table = pd.DataFrame(
            {
                "path": [source.path(int(index)) for index in columns["index"]],
                "true": pd.Categorical.from_codes(columns["true"], names),
                "said": pd.Categorical.from_codes(columns["said"], names),
                "right": (columns["true"] == columns["said"]) & ~unread,
                **{name: columns[name] for name in _NUMBERS},
                "problem": rows.reasons(),
            },
            index=pd.Index(columns["index"], name="row"),
        )
        total = source.count if source.count is not None or stopped else len(table)
        maps = rows.maps()[: len(table)]
        return cls(table=table, maps=maps, root=source.root, total=total, source=source, model=model, **about)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        counted = f"{len(self.wrong):,} mistakes in {int(self.read.sum()):,} pictures"
        parts = [counted, f"{self.method} at layer {self.layer!r}"]
        if not self.complete:
            of = f" of {self.total:,}" if self.total is not None else ""
            parts.append(f"stopped after {len(self):,}{of}")
        unread = len(self) - int(self.read.sum())
        parts += [f"{unread:,} could not be read"] if unread else []
        return f"<Found: {'; '.join(parts)}>"

    @property
    def complete(self) -> bool:
        """Whether the pass went to the end."""
        return self.total is not None and len(self) >= self.total

    @property
    def read(self) -> np.ndarray:
        """Of each row, whether the picture could be read."""
        return np.asarray(self.table["said"].cat.codes >= 0)

    @property
    def wrong(self) -> pd.DataFrame:
        """The rows of the mistakes, the largest loss first."""
        wrong = self.table[self.read & ~self.table["right"].to_numpy()]
        return wrong.sort_values("loss", ascending=False, kind="stable")

    @property
    def codes(self) -> np.ndarray:
        """The index of the true class and of the one said, (picture, 2); -1 where it is not known."""
        return np.stack([self.table[name].cat.codes for name in ("true", "said")], axis=1)

    def confusion(self) -> pd.DataFrame:
        """Return how many pictures of each class (down) were taken for each class (across), for all classes."""
        read = self.table[self.read]
        names = list(self.class_names)
        counts = np.zeros((len(names), len(names)), np.int64)
        np.add.at(counts, (read["true"].cat.codes, read["said"].cat.codes), 1)
        return pd.DataFrame(counts, index=pd.Index(names, name="true"), columns=pd.Index(names, name="said"))

    def most_confused(self, k: int = 20) -> pd.DataFrame:
        """Return the pairs of classes that are confused most often: `true`, `said`, `count`, the largest first.

        Args:
            k: how many at most.

        Raises:
            DataError: k is not positive.
        """
        most = whole(k, "k", least=1, try_="Leave it out for 20", error=DataError)
        counted = self.wrong.groupby(["true", "said"], observed=True).size().rename("count").reset_index()
        return counted.sort_values("count", ascending=False, kind="stable").head(most).reset_index(drop=True)

    def differences(self) -> Float[np.ndarray, "picture map_height map_width"]:
        """Return of each picture the map of what was said minus that of what is true; zero where it is right."""
        difference: np.ndarray = self.maps[:, 0] - self.maps[:, 1]
        return difference

    def place(self, row: SupportsIndex) -> int:
        """Return where a row of `table` is in `maps`.

        Raises:
            DataError: there is no such row.
        """
        number = whole(row, "row", try_="Take one of found.table.index", error=DataError)
        if number not in self.table.index:
            given = f"There is no row {number}"
            allowed = f"There are {len(self):,} rows, {self.table.index.min()} to {self.table.index.max()}"
            raise DataError(three_parts(given, allowed, "Take one of found.table.index"))
        return int(self.table.index.get_loc(number))

    def file(self, row: SupportsIndex) -> Path:
        """Return the file of a picture.

        Raises:
            DataError: there is no such row, or the pictures are no files.
        """
        path = str(self.table["path"].iloc[self.place(row)])
        if path:
            return Path(self.root, path)
        given = f"The picture of row {row} is no file"
        raise DataError(three_parts(given, "Only pictures that come from files have one", "Use found.picture(row)"))

    def picture(self, row: SupportsIndex) -> Image.Image:
        """Return a picture as the network saw it, read once more.

        After loading without a model, it is the square (or other shape) that was cut from the middle, as usual.

        Raises:
            DataError: there is no such row.
            ImageError: the picture is not there any more, or cannot be read.
        """
        place = self.place(row)
        try:
            if self.source is not None and self.model is not None:
                return prepared(self.model, self.source.one(int(self.table.index[place])))[1]
            return _cut_like(open_image(self.file(row)), *self.size)
        except Exception as error:
            given = f"The picture of row {row}, {self._called(place)}, cannot be read now ({error})"
            allowed = "It was read when it was looked at, and is read again to be shown"
            raise ImageError(
                three_parts(given, allowed, "Put the file back, or pass root= to cw.Found.load")
            ) from error

    def _called(self, place: int) -> str:
        path = str(self.table["path"].iloc[place])
        return repr(path) if path else "which is no file"

    def rows_of(self, true: SupportsIndex | str | None = None, said: SupportsIndex | str | None = None) -> list[int]:
        """Return the rows with a true class, or with one that was said, or both.

        Args:
            true: index or name; None for any.
            said: index or name; None for any.

        Raises:
            ClassError: there is no such class.
        """
        keep = self.read
        for name, asked in (("true", true), ("said", said)):
            if asked is not None:
                keep = keep & np.asarray(self.table[name].cat.codes == class_index(asked, self.class_names))
        return [int(row) for row in self.table.index[keep]]

    def with_tags(self) -> pd.DataFrame:
        """Return the table with one more column, `tags`, their names joined by "; "."""
        return self.table.assign(tags=["; ".join(self.tags.of(row)) for row in self.table.index])

    def to_csv(self, path: str | Path) -> Path:
        """Write the table with the tags as a CSV file and return its path.

        Args:
            path: of the file; an existing one is replaced.

        Raises:
            DataError: it cannot be written.
        """
        file = path_of(path, "path", try_='Try found.to_csv("mistakes.csv")', error=DataError)
        shown = self.with_tags()
        for name in ("path", "true", "said", "problem", "tags"):  # what others may have written
            shown[name] = [as_text(value) if isinstance(value, str) else "" for value in shown[name]]
        try:
            shown.to_csv(file)
        except (OSError, ValueError) as error:
            given = f"{str(path)!r} cannot be written ({getattr(error, 'strerror', None) or error})"
            allowed = "It must be the name of a file, in a folder that exists and can be written"
            raise DataError(three_parts(given, allowed, 'Try found.to_csv("mistakes.csv")')) from error
        return file

    def save(self, folder: str | Path) -> Path:
        """Write everything but the model and the pictures to a folder: a CSV, an array and a JSON file, no pickle.

        Args:
            folder: new, or one that was saved to before.

        Raises:
            DataError: it holds something else, or cannot be written.
        """
        place = path_of(folder, "folder", try_='Try found.save("mistakes")', error=DataError)
        if place.exists() and not place.is_dir():
            given = f"{str(folder)!r} is a file"
            raise DataError(three_parts(given, "It must be a folder, which save() makes", "Choose another name"))
        if place.exists() and any(path.name not in _FILES for path in place.iterdir()):
            given = f"{str(folder)!r} holds other files"
            raise DataError(
                three_parts(given, "The folder must be new, or one that save() made", "Choose another name")
            )
        about = {
            "version": _VERSION,
            "class_names": list(self.class_names),
            "method": self.method,
            "layer": self.layer,
            "size": list(self.size),
            "root": self.root,
            "total": self.total,
            "tags": self.tags.as_lists(),
        }
        try:
            place.mkdir(parents=True, exist_ok=True)
            self.with_tags().to_csv(place / "table.csv")
            np.save(place / "maps.npy", self.maps, allow_pickle=False)
            (place / "about.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        except OSError as error:
            given = f"{str(folder)!r} cannot be written ({error.strerror or error})"
            raise DataError(three_parts(given, "It must be a folder that can be written", "Choose another")) from error
        return place

    @classmethod
    def load(cls, folder: str | Path, *, model: Any = None, root: str | PathLike[str] | None = None) -> Self:
        """Return what `save` wrote.

        Args:
            folder: the folder.
            model: the model, to open single pictures with.
            root: where the pictures are now; None for where they were.

        Raises:
            DataError: the folder holds nothing that was saved, or its files do not fit each other.
            TypeError: the model is none.
        """
        place = path_of(folder, "folder", try_="Pass the folder that found.save(folder) made", error=DataError)
        advice = "Leave it out if the pictures are where they were"
        where = None if root is None else str(path_of(root, "root", try_=advice, error=DataError))
        if model is not None:
            network_of(model)  # refuses what is none
        try:
            about = json.loads((place / "about.json").read_text(encoding="utf-8"))
            maps = np.load(place / "maps.npy", allow_pickle=False)
            table = _read_table(place / "table.csv", about["class_names"])
            if about["version"] != _VERSION or maps.ndim != 4 or maps.shape[:2] != (len(table), 2):
                raise ValueError(f"version {about['version']}, {len(table)} rows, maps of shape {maps.shape}")
            if not np.issubdtype(maps.dtype, np.floating) or not table.index.is_unique:
                raise ValueError(f"maps of {maps.dtype}, or a row twice")
            if about["total"] is not None and not isinstance(about["total"], int):
                raise ValueError(f"total is {about['total']!r}")
            tagged = {row for rows in about["tags"].values() for row in rows}
            if list(table.columns) != list(_COLUMNS) or tagged - set(table.index):
                raise ValueError("its columns, or the rows of its tags, are others")
            return cls(
                table=table,
                maps=maps,
                class_names=tuple(about["class_names"]),
                method=str(about["method"]),
                layer=str(about["layer"]),
                size=(int(about["size"][0]), int(about["size"][1])),
                root=str(about["root"]) if where is None else where,
                total=about["total"],
                model=model,
                tags=Tags.from_lists(about["tags"]),
            )
        except (OSError, EOFError, MemoryError, ValueError, LookupError, TypeError, AttributeError) as error:
            given = f"{str(folder)!r} cannot be loaded ({error})"
            allowed = f"It must hold {', '.join(_FILES)}, as found.save(folder) writes them"
            raise DataError(
                three_parts(given, allowed, "Check the name of the folder, or find the mistakes again")
            ) from error

    @classmethod
    def joined(cls, parts: "Sequence[Found]") -> Self:
        """Return several parts of one data set as one; rows are numbered anew, in the order of the parts.

        Args:
            parts: found by one model, with the same layer and method.

        Raises:
            DataError: there is none, or they do not belong together.
        """
        if isinstance(parts, Found) or not hasattr(parts, "__iter__"):
            given = f"parts is {a_kind(parts)}"
            raise DataError(three_parts(given, "It is a list of what find_mistakes returned", "Pass [first, second]"))
        parts = list(parts)
        if not parts:
            raise DataError(three_parts("There is no part", "At least one is needed", "Pass a list of Found"))
        for part in parts:
            refuse_other(part, "parts holds")
        first = parts[0]
        for name in ("class_names", "method", "layer", "size"):
            if any(getattr(part, name) != getattr(first, name) for part in parts):
                given = f"The parts differ in {name}"
                advice = "Find the mistakes of each part in the same way"
                raise DataError(three_parts(given, "Parts come from one model, method and layer", advice))
        tables = [part.table.assign(path=[_full(part, path) for path in part.table["path"]]) for part in parts]
        table = pd.concat(tables, ignore_index=True)
        table.index.name = "row"
        tags, start = Tags(), 0
        for part in parts:
            for row in part.table.index:
                for tag in part.tags.of(row):
                    tags.add(tag, [start + part.place(row)])
            start += len(part)
        known = [part.total for part in parts]
        return cls(
            table=table,
            maps=np.concatenate([part.maps for part in parts]),
            class_names=first.class_names,
            method=first.method,
            layer=first.layer,
            size=first.size,
            root="",
            total=None if None in known else sum(total for total in known if total is not None),
            model=first.model,
            tags=tags,
        )


def _full(part: Found, path: str) -> str:
    return str(Path(part.root, path)) if path else ""


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names; where several classes have one name, each gets its number.

    Args:
        names: of the classes.
    """
    listed = list(names)
    counts = pd.Series(listed, dtype=object).value_counts()
    return tuple(f"{name} ({place})" if counts[name] > 1 else name for place, name in enumerate(listed))


def _read_table(path: Path, class_names: Sequence[str]) -> pd.DataFrame:
    kinds = {"path": str, "problem": str, **dict.fromkeys(_NUMBERS, np.float32), "tags": str, "true": str, "said": str}
    table = pd.read_csv(
        path, index_col="row", dtype=kinds, keep_default_na=False, na_values=dict.fromkeys(_NUMBERS, "")
    )
    for name in ("true", "said"):
        table[name] = pd.Categorical(table[name].where(table[name] != ""), list(class_names))
    return table.drop(columns="tags")


def _cut_like(image: Image.Image, height: int, width: int) -> Image.Image:
    """The middle of a picture in the shape of the network's inputs."""
    scale = max(width / image.width, height / image.height)
    wide, high = (max(1, round(side * scale)) for side in image.size)
    left, top = (wide - width) // 2, (high - height) // 2
    return (
        image.convert("RGB")
        .resize((wide, high), Image.Resampling.BILINEAR)
        .crop((left, top, left + width, top + height))
    )


def refuse_other(found: Any, name: str = "found is") -> None:
    """Refuse what is not what `find_mistakes` returned.

    Args:
        found: what was given.
        name: how the message begins.

    Raises:
        DataError: it is something else.
    """
    allowed, advice = "It is what find_mistakes returned", "Pass cw.find_mistakes(learn, dl)"
    refuse_other_kind(found, Found, name, allowed=allowed, try_=advice, error=DataError)
