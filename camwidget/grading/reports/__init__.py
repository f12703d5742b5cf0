"""What a teacher and a learner read after a class was graded: plain functions of the records.

Read `summary` first, the numbers about one assignment; then `alike` and `unnamed`, which look at the answers
themselves; `marking` for late days and weights; and last `tables`, `pages` and `write`, where all of it becomes files.
"""
