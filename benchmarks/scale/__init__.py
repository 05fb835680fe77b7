"""What a system of many cells costs, and whether it keeps real time."""
