"""Ways to write many answers in few lines."""

from tests.course.bank import Entry, Wrong


def quiz(name: str, right: str, wrong: dict[str, str]) -> Entry:
    """The spellings of a right choice, every wrong choice with the reason told, and what is no choice."""
    letters = [f'"{letter}"' for letter in right]
    accepted = [
        f'"{right}"',
        f'"{right.upper()}"',
        f"[{', '.join(letters)}]",
        f"{{{', '.join(letters)}}}",
        f'" {right} "',
    ]
    no_choice = {'"x"': "one or more of", "7": "one or more of", '"answer"': "one or more of", '""': "one or more of"}
    return Entry(
        right={text: f"{name} = {text}" for text in accepted},
        wrong={text: Wrong(f"{name} = {text}", "chosen", says) for text, says in {**wrong, **no_choice}.items()},
    )


def body(signature: str, **ways: str) -> dict[str, str]:
    """Answer cells that differ in the body of one function or class."""
    return {name: f"{signature}\n" + indented(way) for name, way in ways.items()}


def wrong_body(signature: str, **ways: tuple[str, str, str]) -> dict[str, Wrong]:
    """The same for wrong ones: body, fact it loses, message."""
    return {name: Wrong(body(signature, way=way[0])["way"], way[1], way[2]) for name, way in ways.items()}


def indented(code: str) -> str:
    """Code, four spaces further in."""
    return "\n".join(f"    {line}" if line else line for line in code.strip("\n").split("\n"))
