"""`logship check`: whether a configuration would work here, before it does.

local       the state directory, descriptors, inotify, the agent's own address
components  what sources, transforms and sinks find, each about itself
roundtrip   numbered rows through real sinks, and back
"""
