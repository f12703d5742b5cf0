"""Nothing in the repository depends on, or tells about, the machine it was written on."""

import re

from tests.house.repository import ROOT, tracked_files

# Each is put together here, so that this file does not contain what it looks for.
FORBIDDEN = {
    "a home or working folder": re.compile("/(?:" + "|".join(["work", "home", "root", "Users"]) + r")/\w"),
    "a temporary folder": re.compile("/" + r"tmp/\w"),
    "a local file address": re.compile("file" + ":///"),
    "a package registry": re.compile(r"(?:files\.python" + r"hosted|pypi" + r"\.org|conda\." + r"anaconda)"),
    "an address with a password": re.compile(r"https?://[^\s/@]+" + ":[^\\s/@]+@"),
}
TEXT = {".cff", ".cfg", ".css", ".ipynb", ".js", ".json", ".md", ".py", ".toml", ".ts", ".txt", ".yml", ""}


def told_in(text: str) -> set[str]:
    return {what for what, pattern in FORBIDDEN.items() if pattern.search(text)}


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = {
        str(path.relative_to(ROOT)): told
        for path in tracked_files()
        if path.suffix in TEXT and (told := told_in(path.read_text(encoding="utf-8")))
    }

    assert found == {}


def test_each_pattern_finds_what_it_is_for() -> None:
    examples = ["/ho" + "me/someone", "/t" + "mp/x", "file:" + "///x", "py" + "pi.org", "https://a" + ":b@c"]

    assert set().union(*map(told_in, examples)) == set(FORBIDDEN)
