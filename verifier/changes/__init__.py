"""How two sets of timelines differ: of two versions of rules, or of two engines."""
