"""One folder per assignment: begin with its `items`. Beside them: what several judges share."""
