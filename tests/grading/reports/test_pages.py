"""The pages: what they say about a small class, and that nothing a learner wrote is more than text in them."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

from camwidget.grading.records import ClassRecord, Graded
from camwidget.grading.reports.marking import Marking
from camwidget.grading.reports.pages import class_page, feedback_page
from tests.grading.reports.small_class import HOSTILE, ada, ben, broken, cem, hostile, small_class


class Page(HTMLParser):
    """The tags, ids and text of a page; void tags aside, each that is opened is closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def page_of(record: ClassRecord, settings: Marking | None = None) -> Page:
    return Page(class_page(record, {}, settings))


def test_the_page_about_a_class_says_what_stands_out() -> None:
    text = page_of(small_class(hostile(), broken())).text

    assert "5 submissions, 5 points to earn" in text
    assert "1could not be graded at all" in text
    assert "1answer has no points, not even zero" in text
    assert "1time the sandbox stopped something" in text
    assert "1wrong answers have no name" in text
    assert "2 without a sum are not in the picture" in text
    assert "1the sign is turned around" in text
    assert "The notebook was odd." in text
    assert "2 of 2 for the others" in text


def test_the_distribution_is_told_to_those_who_cannot_see_it() -> None:
    source = class_page(small_class(), {})

    assert (
        'role="img" aria-label="Bars. 0 to 0 points: 0. 1 to 1 points: 1. 2 to 2 points: 0. 3 to 3 points: 1.' in source
    )
    assert "1 of 3, partly" in Page(source).text
    assert "0 of 2, not started" in Page(source).text


def test_no_page_runs_a_script_or_needs_a_network() -> None:
    settings = Marking(due={"hooks": datetime(2026, 3, 1, tzinfo=UTC)}, per_day=0.1)
    pages = [page_of(small_class(hostile(), broken(), replace(hostile(), assignment="")), settings)]
    pages += [Page(feedback_page(each, settings)) for each in (ada(), ben(), cem(), hostile(), broken())]

    for page in pages:
        assert not {"script", "iframe", "img", "link", "form", "object"}.intersection(page.tags)
        assert {link[0] for link in page.links} <= {"#"}
        assert {link[1:] for link in page.links} <= set(page.ids)
        assert len(set(page.ids)) == len(page.ids)
    assert HOSTILE in pages[0].text
    assert HOSTILE in pages[4].text


def test_a_run_without_a_sandbox_or_without_an_end_says_so_loudly() -> None:
    uncontained = page_of(small_class(replace(ada(), contained=False)))
    stopped = page_of(small_class(finished=False))

    assert "Graded without a sandbox." in uncontained.text
    assert "Not finished." in stopped.text
    assert "Graded without" not in stopped.text


def test_what_belongs_to_no_assignment_is_on_the_page() -> None:
    lost = Graded("zoe", "", "d", "g", rows=(), problem="It could not be graded: 'x.ipynb' checks no item")

    assert "zoeIt could not be graded: 'x.ipynb' checks no item" in page_of(small_class(lost)).text.replace(
        " zoe ", "zoe"
    )


def test_late_days_are_in_the_table_of_all_only_where_there_are_some() -> None:
    settings = Marking(due={"hooks": datetime(2026, 3, 1, tzinfo=UTC)}, per_day=0.1)

    assert "Days late" in page_of(small_class(), settings).text
    assert "Days late" not in page_of(small_class()).text


def test_a_learner_reads_what_they_got_and_why_not_more() -> None:
    text = Page(feedback_page(cem())).text

    assert "1 of 5 points" in text
    assert "About q1" in text
    assert "Not started." in text
    assert "Not yet: the numbers are right." in text
    assert "In your line:return x < 1" in text
    assert "✓it has the shape (1): right" in text
    assert "✗the numbers are right (2): not yet" in text


def test_a_learner_without_points_reads_that_it_is_no_zero() -> None:
    whole, item = Page(feedback_page(broken())).text, Page(feedback_page(hostile())).text

    assert "no sum yet" in whole
    assert "This is no zero" in whole
    assert "no points yet, of 3" in item
    assert "0 of" not in whole


def test_lateness_is_told() -> None:
    settings = Marking(due={"hooks": datetime(2026, 3, 1, 10, tzinfo=UTC)}, per_day=0.25)

    assert "2 days late, which costs 1.5 points: 1.5 are left." in Page(feedback_page(ben(), settings)).text
