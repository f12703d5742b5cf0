"""What each item of each assignment promises, and how an answer is judged."""
