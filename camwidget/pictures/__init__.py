"""Explaining a picture.

Read in the order a picture takes: `decode`, `preparation`, `inputs`, `explain`, `result`. `demo` has a network and
pictures.
"""
