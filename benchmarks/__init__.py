"""`make bench`: figures side by side with the naive way and the limit, in one run."""
