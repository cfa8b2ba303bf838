"""The destinations, as one process: they count rows, check ids, and keep nothing else.

    logging    Cloud Logging's entries:write over HTTP; any other path takes lines of text or JSON
    lines      lines of text over TCP
    pubsub     Publish over gRPC: records are counted, blocks are kept and read when asked
    bigquery   AppendRows over gRPC

Python is enough: what counts is the CPU of the agent, which waits for the sink where it must.
"""
