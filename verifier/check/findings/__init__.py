"""What is checked and what was noticed: expressions, kinds of findings, silences, the outcome."""
