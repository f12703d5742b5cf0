"""What each assignment asks and how it is judged: one folder per assignment, its `items` first."""
