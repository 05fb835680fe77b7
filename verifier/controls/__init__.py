"""Controls of the judge itself: runs that must fail, each for a reason that is known."""
