"""What can be broken: kinds of faults by family, their composition and their measured effect."""
