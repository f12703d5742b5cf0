"""What keeps people out of a page, found by axe."""

from playwright.sync_api import Page

from tests.node import axe_source

KINDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice", "experimental"]


def barriers(page: Page, inside: str = "html", *, rules: list[str] | None = None) -> list[str]:
    """What axe finds, of any weight; by all of its rules, or by these."""
    page.evaluate(axe_source())
    found = page.evaluate(
        "async ([inside, only]) => (await axe.run(inside, {runOnly: only})).violations", [inside, rules or KINDS]
    )
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]
