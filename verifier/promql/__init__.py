"""What a PromQL expression reads and measures; pure, on syntax trees."""
