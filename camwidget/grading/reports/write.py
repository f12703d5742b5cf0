"""All reports of a run, as files in a folder."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from camwidget.grading.records import ClassRecord, write_whole
from camwidget.grading.reports.marking import Marking
from camwidget.grading.reports.pages import class_page, feedback_page
from camwidget.grading.reports.tables import lms_csv, rows_csv, sums_csv
from camwidget.grading.roster import Member

_PLAIN = re.compile(r"[\w@-][\w.@ -]{0,79}")


def write_reports(
    record: ClassRecord,
    folder: Path,
    *,
    stubs: Mapping[str, str],
    settings: Marking | None = None,
    members: Mapping[str, Member] | None = None,
    systems: Sequence[str] = (),
) -> list[Path]:
    """Write `grades.csv`, `sums.csv`, `class.html`, a feedback page per submission, and a file per learning platform.

    Args:
        record: the run.
        folder: made if it is not there.
        stubs: item to the source of its answer cell as released.
        settings: late days and weights.
        members: learner to their name and number.
        systems: of `tables.LMS`.

    Returns:
        What was written; `class.html` first.
    """
    chosen = settings or Marking()
    texts = {
        "class.html": class_page(record, stubs, chosen),
        "grades.csv": rows_csv(record),
        "sums.csv": sums_csv(record, chosen),
        **{f"{each}.csv": lms_csv(record, each, chosen, members=members or {}) for each in systems},
    }
    for graded in record.graded:
        if graded.assignment:
            texts[f"feedback/{file_name(graded.learner)}/{graded.assignment}.html"] = feedback_page(graded, chosen)
    for name, text in texts.items():
        write_whole(folder / name, text.encode("utf-8", "replace").decode())  # an answer may hold half of a letter
    return [folder / name for name in texts]


def file_name(learner: str) -> str:
    """A learner's name as a file or folder may have it: as it is if it is plain, else with a digest to keep it apart.

    Args:
        learner: any text.
    """
    if _PLAIN.fullmatch(learner) and not learner.endswith((" ", ".")):
        return learner
    plain = re.sub(r"[^\w@-]+", "_", learner)[:60].strip("_") or "learner"
    return f"{plain}-{hashlib.sha256(learner.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
