"""Files and folders as they are handed in: read, never followed."""

import os
from pathlib import Path

from camwidget.grading.limits import Limits
from camwidget.grading.submission import Place, places_in, read


def handed_in(folder: Path, learner: str = "ann", name: str = "keepdim.ipynb", content: bytes = b"{}") -> Place:
    place = Place(learner, "keepdim", folder / learner / "keepdim")
    place.folder.mkdir(parents=True)
    (place.folder / name).write_bytes(content)
    return place


def test_a_renamed_notebook_is_found_and_two_are_not_guessed(tmp_path: Path) -> None:
    one = read(handed_in(tmp_path, name="my solution (1).ipynb"), Limits())
    two = handed_in(tmp_path, "bob", name="a.ipynb")
    (two.folder / "b.ipynb").write_bytes(b"{}")

    assert (one.problem, one.notebook) == ("", b"{}")
    assert "called 'my solution (1).ipynb'" in one.notes[0]
    assert "2 notebooks" in read(two, Limits()).problem


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.ipynb").write_text("secret")
    notebook = Place("ann", "keepdim", tmp_path / "ann" / "keepdim")
    notebook.folder.mkdir(parents=True)
    (notebook.folder / "keepdim.ipynb").symlink_to(tmp_path / "secret.ipynb")
    folder = Place("bob", "keepdim", tmp_path / "bob" / "keepdim")
    folder.folder.parent.mkdir()
    folder.folder.symlink_to(notebook.folder)
    beside = handed_in(tmp_path, "cid")
    (beside.folder / "data.txt").symlink_to("/etc/passwd")
    (beside.folder / "more").symlink_to("/etc")

    assert "is a link" in read(notebook, Limits()).problem
    assert "is a link" in read(folder, Limits()).problem
    assert read(beside, Limits()).files == {}


def test_a_pipe_and_a_folder_in_a_notebooks_place_are_no_notebook(tmp_path: Path) -> None:
    pipe = Place("ann", "keepdim", tmp_path / "ann" / "keepdim")
    pipe.folder.mkdir(parents=True)
    os.mkfifo(pipe.folder / "keepdim.ipynb")
    folder = Place("bob", "keepdim", tmp_path / "bob" / "keepdim")
    (folder.folder / "keepdim.ipynb").mkdir(parents=True)
    file = Place("cid", "keepdim", tmp_path / "cid" / "keepdim")
    file.folder.parent.mkdir()
    file.folder.write_text("")

    assert "no notebook" in read(pipe, Limits()).problem
    assert "no notebook" in read(folder, Limits()).problem
    assert "no folder" in read(file, Limits()).problem


def test_a_notebook_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    place = handed_in(tmp_path)
    with (place.folder / "keepdim.ipynb").open("r+b") as file:
        file.truncate(101 << 20)

    submission = read(place, Limits())

    assert (submission.notebook, submission.problem) == (
        b"",
        "It could not be graded: the notebook has 101 MB; 100 are allowed",
    )


def test_files_beside_the_notebook_come_along_up_to_a_size_and_a_number(tmp_path: Path) -> None:
    place = handed_in(tmp_path)
    (place.folder / "small.txt").write_text("x")
    (place.folder / "large.bin").write_bytes(bytes(2 << 20))
    (place.folder / "timestamp.txt").write_text("2026-01-02 10:00:00 UTC")
    submission = read(place, Limits(files_mb=1))

    assert list(submission.files) == ["small.txt"]
    assert submission.notes == ("1 files beside the notebook were too large",)
    assert submission.handed_in == "2026-01-02T10:00:00+00:00"
    for number in range(201):
        (place.folder / f"{number}").touch()
    assert "more than 200 files" in read(place, Limits()).problem


def test_any_change_gives_another_digest(tmp_path: Path) -> None:
    place = handed_in(tmp_path)
    digests = [read(place, Limits()).digest]
    (place.folder / "helper.py").write_text("x = 1")
    digests.append(read(place, Limits()).digest)
    (place.folder / "helper.py").write_text("x = 2")
    digests.append(read(place, Limits()).digest)
    (place.folder / "keepdim.ipynb").write_bytes(b"{} ")
    digests.append(read(place, Limits()).digest)

    assert len(set(digests)) == 4
    assert digests[-1] == read(place, Limits()).digest


def test_names_of_learners_may_be_anything_and_stay_as_they_are(tmp_path: Path) -> None:
    names = ["<script>alert(1)<script>", "..hidden", "a b%2F", "Ünï", "x" * 200]
    for name in names:
        handed_in(tmp_path, name)

    assert sorted(place.learner for place in places_in(tmp_path)) == sorted(set(names) - {"..hidden"})
