"""Explaining a picture.

Read in the order a picture takes: `decode`, `inputs`, `explain`, `result`. `demo` has a network and pictures.
"""
