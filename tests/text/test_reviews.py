"""Getting the reviews: the real way on a small archive of the same form, and everything that can go wrong with it."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from camwidget.errors import DataError
from camwidget.text import reviews as archives
from camwidget.text.reviews import example_reviews, load_reviews, other_sentences
from tests.text import small_archive


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch):
    """Lets an archive of ours pass for the real one."""

    def know(content: bytes) -> None:
        monkeypatch.setattr(archives, "SHA256", hashlib.sha256(content).hexdigest())

    return know


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch):
    """Stands in for pip: `pip(content)` fetches that; the commands that were run are remembered."""
    commands: list[list[str]] = []

    def answer(content: bytes | None, said: str = "") -> list[list[str]]:
        def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            commands.append(command)
            wanted = Path(command[command.index("--requirement") + 1]).read_text()
            commands.append([wanted])
            if content is not None:
                (Path(command[command.index("--dest") + 1]) / small_archive.FILE).write_bytes(content)
            return subprocess.CompletedProcess(command, int(content is None), "", said)

        monkeypatch.setattr(subprocess, "run", run)
        return commands

    return answer


def test_sentences_come_with_their_mean_rating_and_those_rated_nought_are_left_out(tmp_path: Path, known) -> None:
    known(small_archive.write(tmp_path))

    reviews = load_reviews(tmp_path)

    assert reviews.texts == ("A fine film", "A dull film\twith a tab", "No — never again")
    assert reviews.ratings == (2.5, -1.25, -3.0)
    assert reviews.labels == (1, 0, 0)
    assert len(other_sentences(tmp_path)) == 6


def test_pip_fetches_what_is_not_there_by_its_hash_and_only_once(tmp_path: Path, known, pip) -> None:
    content = small_archive.write(tmp_path / "elsewhere")
    known(content)
    commands = pip(content)

    first, second = load_reviews(tmp_path / "new"), load_reviews(tmp_path / "new")

    assert first == second
    assert len(commands) == 2
    assert commands[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert "--require-hashes" in commands[0]
    assert commands[1][0].startswith("vaderSentiment==3.3.2 --hash=sha256:")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [small_archive.FILE]


def test_the_folder_can_come_from_the_environment(tmp_path: Path, known, monkeypatch: pytest.MonkeyPatch) -> None:
    known(small_archive.write(tmp_path))
    monkeypatch.setenv("CAMWIDGET_DATA", str(tmp_path))

    assert len(load_reviews()) == 3


def test_without_a_network_one_is_told_what_to_do(tmp_path: Path, pip) -> None:
    pip(None, "some lines\nERROR: Could not find a version")

    with pytest.raises(DataError, match=r"Could not find a version.*needs a network.*put vaderSentiment-3\.3\.2"):
        load_reviews(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_without_pip_one_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise FileNotFoundError("no such program")

    monkeypatch.setattr(subprocess, "run", run)

    with pytest.raises(DataError, match="pip could not be run"):
        load_reviews(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, pip) -> None:
    commands = pip(None)
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(DataError, match=r"cannot be written.*environment variable CAMWIDGET_DATA"):
        load_reviews(tmp_path / "taken" / "inside")

    assert commands == []


def test_a_folder_may_begin_with_a_tilde(tmp_path: Path, known, monkeypatch: pytest.MonkeyPatch) -> None:
    known(small_archive.write(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    assert len(load_reviews("~/data")) == 3


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    small_archive.write(tmp_path)

    with pytest.raises(DataError, match=r"SHA-256 begins with .*It must begin with 5d7c06e027fc.*Delete the file"):
        load_reviews(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"inner": "other.tar.gz"}, "has no member"),
        ({"leave_out": "movieReviewSnippets"}, "has no member"),
        ({"movies": "1 2.5 spaces only\n"}, "Line 1 of movieReviewSnippets_GroundTruth.txt is not"),
        ({"movies": "1\tmany\ttext\n"}, "Line 1 of"),
    ],
)
def test_an_archive_of_another_form_is_refused(tmp_path: Path, known, change: dict[str, str], says: str) -> None:
    known(small_archive.write(tmp_path, **change))

    with pytest.raises(DataError, match=says):
        load_reviews(tmp_path)


def test_a_truncated_archive_is_refused(tmp_path: Path, known) -> None:
    content = small_archive.write(tmp_path)[:200]
    (tmp_path / small_archive.FILE).write_bytes(content)
    known(content)

    with pytest.raises(DataError, match="cannot be unpacked"):
        load_reviews(tmp_path)


def test_a_member_that_is_too_large_is_not_read(tmp_path: Path, known, monkeypatch: pytest.MonkeyPatch) -> None:
    known(small_archive.write(tmp_path))
    monkeypatch.setattr(archives, "_LARGEST", 10)

    with pytest.raises(DataError, match="too large"):
        load_reviews(tmp_path)


def test_whole_reviews_of_imdb_are_read_from_a_folder_of_fastais_form(tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text(
        'label,text,is_valid\nnegative,"Long, and\nwith lines",False\npositive,Fine,True\n', encoding="utf-8"
    )

    reviews = load_reviews(tmp_path, source="imdb_sample")

    assert reviews.texts == ("Long, and\nwith lines", "Fine")
    assert reviews.labels == (0, 1)


def test_imdb_that_cannot_be_downloaded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastai.data import external

    def untar_data(_: str) -> Path:
        raise OSError("no route to host")

    monkeypatch.setattr(external, "untar_data", untar_data)

    with pytest.raises(DataError, match=r"could not be downloaded.*Use load_reviews\(\)"):
        load_reviews(source="imdb_sample")


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "label,text\nunsup,Fine\n"])
def test_imdb_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "texts.csv").write_text(content)

    with pytest.raises(DataError, match=r"columns label \(positive or negative\) and text"):
        load_reviews(tmp_path, source="imdb_sample")


def test_an_unknown_source_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match=r"Did you mean 'imdb_sample'\?"):
        load_reviews(source="imdb-sample")


def test_there_are_a_dozen_examples_and_a_caller_cannot_spoil_them() -> None:
    examples = example_reviews()
    examples.clear()

    assert len(example_reviews()) == 12
    assert all(text.strip() == text and text for text in example_reviews().values())
