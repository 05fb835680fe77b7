"""The compiled event loop, its arrays, its random streams and the reader of snapshots."""
