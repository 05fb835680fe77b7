"""What a failure is told with: numbers, the bound that would have held, what to paste."""
