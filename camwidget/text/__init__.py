"""Words: which of them decide what a classifier says about a text."""
