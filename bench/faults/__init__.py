"""`python -m bench faults`: what a real agent does when a destination or a disk fails.

Agent, destinations and writer are processes of their own on one machine and one clock. Two routes
read the same logs: one has the fault, the other must not notice. Each scenario counts every row
against what was written, and samples what the agent holds over time.
"""
