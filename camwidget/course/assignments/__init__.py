"""What each assignment asks and how it is judged, a folder each.

Read `hooks` first, the simplest; `networks`, `traces` and `awkward` are what the judges share.
"""
