"""Rules with one edit each, and which of them the scenarios notice: the mutation score."""
