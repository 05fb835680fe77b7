"""What changes when rules, routing or metrics are the user's own."""
