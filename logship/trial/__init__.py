"""`logship test`: given these lines of these logs, which rows come to which sinks?

options     what a file of tests says
reading     a file of tests out of its text, or everything wrong with it
given       the bytes that a runtime would have written, cut into batches as the agent cuts them
shipping    routes, transforms and previews of sinks: the agent's own code, without I/O
comparing   what is expected against what came
running     one test, and everything in which it fails
"""
