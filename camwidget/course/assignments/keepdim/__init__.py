"""The assignment `keepdim`: one argument that is easily forgotten."""
