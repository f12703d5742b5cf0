from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from camwidget.errors import CamwidgetError, DataError
from camwidget.mistakes.demo import CLASSES, FAULTS, PARTS, demo_dataset, demo_mistakes_learner, picture_of, shots


def test_the_two_faults_are_in_what_is_trained_on_and_in_no_class_more_than_another_of_the_test() -> None:
    faulty = [shot for shot in shots() if shot.part != "test"]
    dated = Counter(shot.label for shot in faulty if shot.dated)
    dusk = Counter(shot.label for shot in faulty if shot.dusk)
    assert set(dated) == {"coffee"}
    assert dated["coffee"] >= 50
    assert "cat" not in dusk
    assert all(15 < dusk[name] < 41 for name in CLASSES if name != "cat")

    test = Counter((shot.label, shot.dated, shot.dusk) for shot in shots() if shot.part == "test")
    assert set(test.values()) == {8}
    assert len(test) == 16


def test_the_mended_set_has_both_in_every_class_and_the_same_test() -> None:
    mended = shots(mended=True)

    for name in CLASSES:
        kinds = Counter((shot.dated, shot.dusk) for shot in mended if shot.label == name and shot.part == "train")
        assert len(kinds) == 4
        assert min(kinds.values()) >= 4
    assert [shot for shot in mended if shot.part == "test"] == [shot for shot in shots() if shot.part == "test"]


def test_a_date_is_small_and_in_the_lower_right_corner() -> None:
    shot = next(shot for shot in shots() if shot.dated)
    bare = type(shot)(shot.part, shot.label, shot.number, False, shot.dusk)

    changed = np.any(np.asarray(picture_of(shot)) != np.asarray(picture_of(bare)), axis=2)

    rows, columns = np.nonzero(changed)
    assert rows.min() > 130
    assert columns.min() > 30
    assert 0.01 < changed.mean() < 0.09


@pytest.mark.slow
def test_the_set_is_made_once_and_is_the_same_each_time(tmp_path: Path) -> None:
    first = demo_dataset(tmp_path / "first")
    files = sorted(path.relative_to(first) for path in first.rglob("*.jpg"))

    assert len(files) == sum(PARTS.values()) * len(CLASSES) == 352
    assert sum(path.stat().st_size for path in first.rglob("*.jpg")) < 3e6
    for file in files[::20]:
        with Image.open(first / file) as picture:
            assert picture.size == (160, 160)
    stamp = (first / files[0]).stat().st_mtime_ns
    assert demo_dataset(first) == first
    assert (first / files[0]).stat().st_mtime_ns == stamp
    assert not any(word in str(file) for file in files for word in ("dat", "dusk", "mark", "fault"))


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(DataError, match="something else"):
        demo_dataset(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_a_learner_needs_pictures_and_epochs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pictures in 'train'"):
        demo_mistakes_learner(tmp_path)
    with pytest.raises(CamwidgetError, match="epochs is 0"):
        demo_mistakes_learner(tmp_path, epochs=0)


def test_the_faults_are_told_where_a_teacher_looks() -> None:
    assert len(FAULTS) == 2
    assert "date" in FAULTS[0]
    assert "dusk" in FAULTS[1]
