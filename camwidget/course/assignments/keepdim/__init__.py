"""The assignment `keepdim`: one argument that is easily forgotten.

Read `items` first, then its `judges`; its options are in `quizzes`.
"""
