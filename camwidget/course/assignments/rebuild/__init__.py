"""The assignment `rebuild`: an empty page, from a picture to both maps.

Read `items` first, then its `judges`; it has no quiz, so `quizzes` is empty.
"""
