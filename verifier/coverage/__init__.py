"""Which scenario proves what of each alert: seven cells, proven by a run whose judge would object.

Called by the front door; it judges no scenario anew, it asks what the judge would have refused.
"""
