"""The checks themselves: each a function of an expression, or of all of them."""
