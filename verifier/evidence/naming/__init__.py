"""Names that were meant where no series has the one that is written."""
