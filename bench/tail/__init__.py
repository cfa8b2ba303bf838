"""`python -m bench tail`: what following many files costs, and how late their rows arrive.

The agent, the writers and the destination are processes of their own on one machine and one clock:
a row carries the time it was written, the destination notes the time it arrived. What is counted is
the agent's process alone, as the operating system accounts for it.
"""
