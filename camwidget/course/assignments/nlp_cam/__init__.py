"""The assignment `nlp_cam`: which words decide a review.

Read `items` first, then its `judges`; its options are in `quizzes`.
"""
