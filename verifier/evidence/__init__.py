"""Whether an alert could have spoken, and the numbers of one that failed."""
