"""Movie reviews: thousands rated by people, fetched by pip on first use, and a dozen of our own."""

import csv
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import platformdirs

from camwidget.errors import DataError, nearest, three_parts
from camwidget.given import path as path_of
from camwidget.given import told


@dataclass(frozen=True)
class Reviews:
    """Sentences and how people rated them. None has the rating 0, which belongs to no class."""

    texts: tuple[str, ...]
    """The sentences, as they were written."""
    ratings: tuple[float, ...]
    """From -4 (most negative) to 4, the mean of many people; -1 or 1 where only the class is known."""

    @property
    def labels(self) -> tuple[int, ...]:
        """1 (positive) where the rating is above 0, else 0 (negative)."""
        return tuple(int(rating > 0) for rating in self.ratings)

    def __len__(self) -> int:
        return len(self.texts)


def load_reviews(folder: str | Path | None = None, *, source: str = "rated") -> Reviews:
    """Return real movie reviews.

    The texts stay as in the source, even where it has `&amp;` for & (22 sentences): the packaged network was
    trained on these, and it is right equally often on the others.

    Args:
        folder: where the data is, or will be kept; None for the user's cache.
        source: `"rated"`: 10,568 sentences of movie reviews, each rated by people from -4 to 4 (Hutto and Gilbert 2014,
            VADER; MIT licence). pip fetches 2.5 MB the first time. `"imdb_sample"`: 1,000 whole reviews, positive or
            negative, as fastai provides them.

    Raises:
        DataError: there is no such source; or the data cannot be fetched or read. The message says what to do.
    """
    sources: dict[str, Callable[[], Reviews]] = {
        "rated": partial(_rated, "movieReviewSnippets_GroundTruth.txt", folder),
        "imdb_sample": partial(_imdb_sample, folder),
    }
    if not isinstance(source, str) or source not in sources:
        close = nearest(str(source), sources, count=1)
        advice = f"Did you mean {close[0]!r}?" if close else "Leave source out"
        raise DataError(
            three_parts(f"There is no source {told(source)}", f"Sources are {', '.join(map(repr, sources))}", advice)
        )
    return sources[source]()


def other_sentences(folder: str | Path | None = None) -> Reviews:
    """Return 13,000 rated sentences that are not movie reviews, to learn words from: products, tweets, editorials.

    Args:
        folder: see `load_reviews`.

    Raises:
        DataError: see `load_reviews`.
    """
    names = ("amazonReviewSnippets", "tweets", "nytEditorialSnippets")
    parts = [_rated(f"{name}_GroundTruth.txt", folder) for name in names]
    texts, ratings = sum((part.texts for part in parts), ()), sum((part.ratings for part in parts), ())
    return Reviews(texts, ratings)


def _rated(name: str, folder: str | Path | None) -> Reviews:
    texts, ratings = [], []
    for number, line in enumerate(member(name, folder).splitlines(), 1):
        fields = line.split("\t", 2)
        try:
            rating = float(fields[1])
        except (IndexError, ValueError):
            given = f"Line {number} of {name} is not id, rating and text between tabs"
            allowed = "Every line must hold these three"
            raise DataError(three_parts(given, allowed, "Delete the file and try again")) from None
        if rating != 0 and fields[2].strip():
            texts.append(fields[2].strip())
            ratings.append(rating)
    return Reviews(tuple(texts), tuple(ratings))


def _imdb_sample(folder: str | Path | None) -> Reviews:
    allowed = "It is a folder with texts.csv, whose columns label (positive or negative) and text hold the reviews"
    if folder is None:
        # Imported here: it takes seconds that the other source does not need.
        from fastai.data.external import URLs, untar_data  # noqa: PLC0415 (see above)

        try:
            folder = untar_data(URLs.IMDB_SAMPLE)
        except OSError as error:
            given = f"The sample of IMDB could not be downloaded ({error})"
            raise DataError(
                three_parts(given, allowed, 'Use load_reviews(), or load_reviews(folder, source="imdb_sample")')
            ) from error
    path = path_of(folder, "folder", try_="Leave it out to have fastai fetch it", error=DataError) / "texts.csv"
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        rated = [(row["text"], {"positive": 1.0, "negative": -1.0}[row["label"]]) for row in rows]
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        given = f"{path} cannot be read ({type(error).__name__})"
        raise DataError(three_parts(given, allowed, "Name the folder that holds texts.csv")) from error
    return Reviews(tuple(text for text, _ in rated), tuple(rating for _, rating in rated))


_EXAMPLES = {
    "warm": "A warm and funny film with a wonderful cast. I would watch it again tomorrow.",
    "dull": "Two dull hours. The plot goes nowhere and the jokes are tired.",
    "not good": "This is not a good film.",
    "not bad": "Not bad at all, and never boring.",
    "mixed": "The actors are brilliant, but the story is a mess and the ending is terrible.",
    "turn": "I expected a silly cartoon. What I got was a moving, beautiful story.",
    "irony": "Oh great, another clever film about how clever its director is.",
    "short": "Loved it!",
    "loud": "So LOUD, so long, so stupid... my head still hurts!!!",
    "smile": "What a charming little film 😀 with a great big heart ❤",
    "long": (
        "It starts slowly, and for half an hour I feared the worst. A quiet man comes back to the village he left as a "
        "boy, and nobody seems to remember him. Then the first song begins, and everything changes. The pictures are "
        "beautiful, the music is gentle, and the two old friends are played with so much humour that I forgot the weak "
        "beginning. Not every scene works. The wedding is too loud, and one joke is told three times. But the last ten "
        "minutes are honest and touching, and I left with a smile."
    ),
    "plain": "The film is about a train that crosses a country in winter.",
}


def example_reviews() -> dict[str, str]:
    """Return a dozen short reviews of our own, by name: clear and mixed ones, negation, irony, a long one."""
    return dict(_EXAMPLES)


REQUIREMENT = "vaderSentiment==3.3.2"
"""The release whose source distribution holds the sentences (Hutto and Gilbert 2014, MIT licence)."""
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
"""Of that source distribution."""
FOLDER_VARIABLE = "CAMWIDGET_DATA"
"""Environment variable that names another folder to keep it in."""

_FILE = "vaderSentiment-3.3.2.tar.gz"
_INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
_LARGEST = 5_000_000  # bytes of any member; the largest has 2.4 million
_LIMIT_S = 300
_ADVICE = (
    f"Connect once and try again; or put {_FILE} into a folder yourself and name that folder: "
    f"load_reviews(folder) or the environment variable {FOLDER_VARIABLE}"
)


def data_folder(folder: str | Path | None = None) -> Path:
    """Return where data is kept: the folder given, else the one in `CAMWIDGET_DATA`, else the user's cache.

    Args:
        folder: another folder.

    Raises:
        DataError: it is no path.
    """
    if folder is not None:
        folder = path_of(folder, "folder", try_="Leave it out for the user's cache", error=DataError)
    return Path(folder or os.environ.get(FOLDER_VARIABLE) or platformdirs.user_cache_dir("camwidget")).expanduser()


def archive(folder: str | Path | None = None) -> Path:
    """Return the path of the source distribution, which pip fetches if it is missing.

    Args:
        folder: see `data_folder`.

    Raises:
        DataError: it cannot be fetched, or has the wrong hash.
    """
    path = data_folder(folder) / _FILE
    if not path.is_file():
        _fetch(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        given = f"{path} is not the expected file: its SHA-256 begins with {digest[:12]}"
        raise DataError(three_parts(given, f"It must begin with {SHA256[:12]}", "Delete the file and try again"))
    return path


def _fetch(path: Path) -> None:
    """Let pip fetch the file: it knows the index that this installation uses, and checks the hash first."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        workspace = tempfile.TemporaryDirectory(dir=path.parent)
    except OSError as error:
        given = f"The folder {path.parent} cannot be written ({type(error).__name__})"
        advice = f"Name another folder: load_reviews(folder) or the environment variable {FOLDER_VARIABLE}"
        raise DataError(three_parts(given, "Data is kept in a folder that you may write to", advice)) from error
    with workspace as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps"]
        command += ["--no-binary", ":all:", "--require-hashes", "--requirement", str(wanted), "--dest", folder]
        try:
            # What pip prints may be in an older encoding of the system's; only its last line is shown.
            done = subprocess.run(
                command, capture_output=True, encoding="utf-8", errors="replace", timeout=_LIMIT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            given = f"pip could not be run to fetch the reviews ({type(error).__name__})"
            raise DataError(three_parts(given, "The first call of load_reviews() needs a network", _ADVICE)) from error
        fetched = Path(folder) / _FILE
        if done.returncode != 0 or not fetched.is_file():
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            given = f"pip could not fetch the reviews: {last}"
            raise DataError(three_parts(given, "The first call of load_reviews() needs a network", _ADVICE))
        fetched.replace(path)  # in one step: a second process sees the whole file or none


def member(name: str, folder: str | Path | None = None) -> str:
    """Return the text of one file of the archive inside the source distribution.

    Args:
        name: the file's name, such as "movieReviewSnippets_GroundTruth.txt".
        folder: see `data_folder`.

    Raises:
        DataError: see `archive`; or the file is not in it, or too large.
    """
    path = archive(folder)
    inner = _read(path.read_bytes(), _INNER, path)
    return _read(inner, f"hutto_ICWSM_2014/{name}", path).decode("utf-8", errors="replace")


def _read(packed: bytes, name: str, path: Path) -> bytes:
    allowed = f"It must hold {name}, of at most {_LARGEST:,} bytes"
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as opened:
            about = opened.getmember(name)
            reader = opened.extractfile(about) if about.isfile() and about.size <= _LARGEST else None
            if reader is not None:
                return reader.read(_LARGEST)
        given = f"In {path} the member {name} is not a file, or is too large"
    except KeyError:
        given = f"{path} has no member {name}"
    except (tarfile.TarError, OSError, EOFError) as error:
        given = f"{path} cannot be unpacked ({error})"
    raise DataError(three_parts(given, allowed, "Delete the file and try again"))
