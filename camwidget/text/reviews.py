"""Movie reviews: thousands that people rated, and a dozen of our own for the panel."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from camwidget.errors import DataError, nearest, three_parts
from camwidget.text.archive import member


@dataclass(frozen=True)
class Reviews:
    """Sentences with how people rated them. None has the rating 0, which belongs to no class."""

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

    The texts stay as the source has them, even where it says `&amp;` for & (22 sentences): the packaged network was
    trained on these, and it is right equally often on the others.

    Args:
        folder: where the data is, or will be kept; None for the user's cache.
        source: `"rated"`: 10,568 sentences of movie reviews, each rated by people from -4 to 4 (Hutto and Gilbert 2014,
            VADER; MIT licence). pip fetches 2.5 MB the first time. `"imdb_sample"`: 1,000 whole reviews, positive or
            negative, as fastai provides them.

    Raises:
        DataError: there is no such source; or the data cannot be had or read. The message says what to do.
    """
    sources: dict[str, Callable[[], Reviews]] = {
        "rated": partial(_rated, "movieReviewSnippets_GroundTruth.txt", folder),
        "imdb_sample": partial(_imdb_sample, folder),
    }
    if source not in sources:
        close = nearest(str(source), sources, count=1)
        advice = f"Did you mean {close[0]!r}?" if close else "Leave source out"
        raise DataError(
            three_parts(f"There is no source {source!r}", f"Sources are {', '.join(map(repr, sources))}", advice)
        )
    return sources[source]()


def other_sentences(folder: str | Path | None = None) -> Reviews:
    """Return 13,000 rated sentences that are no movie reviews, to learn words from: products, tweets, editorials.

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
        # Imported here: seconds of work that the other source does not need.
        from fastai.data.external import URLs, untar_data  # noqa: PLC0415 (see above)

        try:
            folder = untar_data(URLs.IMDB_SAMPLE)
        except OSError as error:
            given = f"The sample of IMDB could not be downloaded ({error})"
            raise DataError(
                three_parts(given, allowed, 'Use load_reviews(), or load_reviews(folder, source="imdb_sample")')
            ) from error
    path = Path(folder) / "texts.csv"
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        found = [(row["text"], {"positive": 1.0, "negative": -1.0}[row["label"]]) for row in rows]
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        given = f"{path} cannot be read ({type(error).__name__})"
        raise DataError(three_parts(given, allowed, "Name the folder that holds texts.csv")) from error
    return Reviews(tuple(text for text, _ in found), tuple(rating for _, rating in found))


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
