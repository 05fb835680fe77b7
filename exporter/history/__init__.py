"""A run's samples as columns, and the recorder that fills them."""
