"""The assignment `hooks`: functions that PyTorch calls while a network runs."""
