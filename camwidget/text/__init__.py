"""Which words decide what a classifier says about a text."""
