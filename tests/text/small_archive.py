"""A source distribution of the real one's form, with sentences of our own in it."""

import io
import tarfile
from pathlib import Path

FILE = "vaderSentiment-3.3.2.tar.gz"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
MOVIES = "1\t2.5\tA fine film\n2\t-1.25\tA dull film\twith a tab\n3\t0.0\tA film\n4\t-3\tNo — never again\n"
OTHERS = "1_1\t-0.9\tno picture\n1_2\t1.5\tworks well\n"
NAMES = ("movieReviewSnippets", "amazonReviewSnippets", "tweets", "nytEditorialSnippets")


def packed(files: dict[str, bytes]) -> bytes:
    """A gzipped tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return buffer.getvalue()


def write(folder: Path, *, movies: str = MOVIES, inner: str = INNER, leave_out: str = "") -> bytes:
    """Write it into a folder, and return its bytes."""
    texts = {name: movies if name.startswith("movie") else OTHERS for name in NAMES if name != leave_out}
    files = {f"hutto_ICWSM_2014/{name}_GroundTruth.txt": text.encode() for name, text in texts.items()}
    content = packed({inner: packed(files)})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content)
    return content
