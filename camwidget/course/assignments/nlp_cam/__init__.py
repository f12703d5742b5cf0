"""The assignment `nlp_cam`: which words decide a review."""
