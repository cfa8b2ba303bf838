"""Routes: which rows they take, whose turn it is, and how far behind they are."""
