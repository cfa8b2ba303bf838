"""Sources that follow files: the logs of Kubernetes' containers, and files by globs.

They only say which origins there are; the engine reads them. Both are a `Scanner` (what the tree
looks like) under one `Discovery` (when to look, and what changed).
"""
