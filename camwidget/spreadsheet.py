"""What others wrote, in a table that a spreadsheet opens: text, and never a formula."""


def as_text(value: object) -> str:
    """Return a value as a cell of a CSV file that a spreadsheet shows as it is and does not run.

    Args:
        value: anything; only a beginning that a spreadsheet takes for a formula is changed.

    Example:
        >>> as_text("=1+1")
        "'=1+1"
    """
    text = str(value).replace("\r", " ").replace("\0", "")
    # Canvas's own line for the points begins with spaces; everything else that begins so is no formula either.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
