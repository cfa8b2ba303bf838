"""`logship demo`: everything at work on this machine, and the proof that nothing was lost.

writer, writer_files   a container's log, byte for byte as runtime and kubelet write it
lines, events, pods    what a dozen pods print
node, timeline         the pods' lives: rotation, restarts, deletion
stage, processes       sandbox, agent and loader as processes; configs: what they are told
director, screen       the story, and how it looks
account, delivered     the proof: the writer's books against what the destinations have
"""

from logship_sandbox.demo.command import run

__all__ = ["run"]
