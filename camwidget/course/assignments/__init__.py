"""What each assignment asks and how it is judged, a folder each.

Read `hooks` first, the simplest; `networks` and `leftovers` are what the judges share.
"""
