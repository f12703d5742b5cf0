"""Explaining a picture.

Read in the order of a picture's way: `decode`, `inputs`, `explain`, `result`. `demo` brings a network and pictures.
"""
