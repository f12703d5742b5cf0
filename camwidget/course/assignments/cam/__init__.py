"""The assignment `cam`: class activation maps by hand."""
