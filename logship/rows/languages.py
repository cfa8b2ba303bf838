"""What stack traces look like, one table a language: see `tables`.

Each record has an indented line (or one with `#`) before its first sure one, or a Rust panic: see
`traces.HINTS`. Texts may end in `\\r`. Patterns see a bounded text, and none repeats a repeat.
"""

import re

from logship.rows.tables import language

# Starts are searched for, so that a logger's prefix may come before; rules match the beginning.
JAVA = language(
    "java",
    r"""
    at_ ~ ^<AT> ~ frames ~ orphan
    Exception ~ <MESSAGE> ~ message
    Error ~ <MESSAGE> ~ message
    Throwable ~ <MESSAGE> ~ message
    Exception ~ <EXCEPTION> ~ head
    Error ~ <EXCEPTION> ~ head
    Throwable ~ <EXCEPTION> ~ head
    Caused_by:_ ~ ^\s*Caused by: ~ message
    java.lang.Thread.State:_ ~ ^\s+java\.lang\.Thread\.State: ~ head
    "_# ~ ^"[^"]+" #\d+ .*\b(?:prio|tid)= ~ dump
    """,
    r"""
    dump ~ \s+java\.lang\.Thread\.State: ~ head
    head message frames ~ <AT> ~ frames!
    frames message ~ [\t ]+\.\.\. \d+ (?:more|common frames omitted|frames? ) ~ frames!
    frames ~ [\t ]+(?:- (?:locked|waiting|parking|eliminated)|\[CIRCULAR REFERENCE:) ~ frames!
    frames ~ \s*(?:Caused by|Suppressed|Wrapped by): ~ message!
    head message ~ \s*(?:Caused by|Suppressed|Wrapped by): ~ message
    """,
    loose="message",
)
DOTNET = language(
    "dotnet",
    r"""
    at_ ~ ^<AT> ~ frames ~ orphan
    Exception ~ <MESSAGE> ~ message
    Exception ~ <EXCEPTION> ~ head
    Error ~ <MESSAGE> ~ message
    """,
    r"""
    head message frames ~ <AT> ~ frames!
    frames ~ \s*--- End of (?:inner exception )?stack trace.*--- ~ frames!
    frames ~ \s*---> ~ message!
    frames ~ \s*<--- ~ frames!
    head message ~ \s*---> ~ message
    """,
    loose="message",
)
_FILE_AND_LINE = r' [ |]* File "[^"]*", line \d+'
PYTHON = language(
    "python",
    rf"""
    Group_Traceback ~ ^\s*\+ Exception Group Traceback \(most recent call last\):\s*$ ~ group
    Traceback_(most ~ Traceback \(most recent call last\):\s*$ ~ trace
    File_" ~ ^{_FILE_AND_LINE}, in ~ file ~ orphan
    """,
    rf"""
    trace file ~ {_FILE_AND_LINE} ~ file!
    file ~ \s+\S ~ file!
    file ~ [A-Za-z_][\w.]*(?::|\s*$) ~ final!
    group ~ \s+(?:\||\+[-+]) ~ group!
    final group ~ During handling of the above exception, another exception occurred: ~ chained!
    final group ~ The above exception was the direct cause of the following exception: ~ chained!
    chained ~ <BLANK> ~ chained
    chained ~ Traceback \(most recent call last\):\s*$ ~ trace!
    chained ~ \s*\+ Exception Group Traceback \(most recent call last\):\s*$ ~ group!
    """,
    loose="final group",
    broken="trace file chained",
)
GO = language(
    "go",
    r"""
    panic:_ ~ (?:^|\s)panic: ~ panic
    http:_panic_serving ~ (?:^|\s)http: panic serving ~ panic
    fatal_error:_ ~ (?:^|\s)fatal error: ~ panic
    SIG ~ ^SIG[A-Z]+: ~ panic
    goroutine_ ~ ^goroutine \d+ [^\[]{0,60}\[[^\]]+\]:\s*$ ~ goroutine
    .go: ~ ^\t\S+\.go:\d+ \+0x[0-9a-f]+\s*$ ~ file ~ orphan
    """,
    r"""
    panic gap ~ goroutine \d+ [^\[]{0,60}\[[^\]]+\]:\s*$ ~ goroutine
    panic ~ \s+panic: ~ panic
    panic ~ \[(?:signal|recovered) ~ panic
    goroutine file ~ (?:created by \S.*|\S.*\)|\[originating from .*)\s*$ ~ function
    goroutine ~ \s+goroutine running on other thread ~ file!
    function ~ [\t ]+\S.*:\d+(?: \+0x[0-9a-f]+)?(?: fp=.*)?\s*$ ~ file!
    file ~ \.\.\.\S*\s*(?:additional )?frames elided ~ file!
    file gap ~ exit status \d+\s*$ ~ done!
    file gap registers ~ [a-z]\w{1,6}\s+0x[0-9a-f]+\s*$ ~ registers!
    file ~ <BLANK> ~ gap
    """,
    loose="panic",
)
NODE = language(
    "nodejs",
    r"""
    at_ ~ ^[\t ]+at .*<PLACE>\s*$ ~ frames ~ orphan
    Error ~ <MESSAGE> ~ message
    Exception ~ <MESSAGE> ~ message
    Error ~ <EXCEPTION> ~ head
    Exception ~ <EXCEPTION> ~ head
    Trace ~ ^Trace(?:: |\s*$) ~ message
    js: ~ ^(?:/|file://|node:|[A-Za-z]:\\)\S*:\d+\s*$ ~ source
    ts: ~ ^(?:/|file://|node:|[A-Za-z]:\\)\S*:\d+\s*$ ~ source
    node: ~ ^(?:/|file://|node:|[A-Za-z]:\\)\S*:\d+\s*$ ~ source
    """,
    r"""
    head message frames ~ [\t ]+at .*<PLACE> \{\s*$ ~ fields!
    head message frames ~ [\t ]+at .*<PLACE>\s*$ ~ frames!
    source ~ (?!\s).*<EXCEPTION> ~ message
    frames ~ \s+\.\.\. \d+ lines matching ~ frames!
    frames ~ From previous event: ~ frames
    fields ~ \s+\S ~ fields!
    fields ~ \}\s*$ ~ frames!
    frames gap ~ Node\.js v\d+ ~ done!
    frames ~ <BLANK> ~ gap
    """,
    loose="message source",
    broken="fields",
)
RUBY = language(
    "ruby",
    r"""
    :in_ ~ (?:^|\s)\S+:\d+:in [`'].+: .*\S ~ message
    terminated_with_exception ~ ^#<Thread:.* terminated with exception ~ thread
    Traceback_(most ~ Traceback \(most recent call last\):\s*$ ~ reversed
    from_ ~ ^\s+from \S+:\d+:in [`'] ~ frames ~ orphan
    """,
    r"""
    message frames ~ \s+from \S.*:\d+(?::in |\s*$) ~ frames!
    frames ~ \s+\.\.\. \d+ levels\.\.\. ~ frames!
    frames thread ~ \S+:\d+:in [`'].+: .*\S ~ message
    reversed levels ~ \s+\d+: from \S ~ levels!
    levels ~ \S+:\d+:in [`'].+: .*\S ~ frames!
    """,
    loose="message",
    broken="levels",
)
PHP = language(
    "php",
    r"""
    Uncaught_ ~ error: +Uncaught  ~ message
    Exception ~ <EXCEPTION>.* in \S+:\d+\s*$ ~ message
    exception_' ~ (?:^|\s)exception '[\w\\]+' with message ' ~ message
    [object]_( ~ \{"exception":"\[object\] \( ~ message
    # ~ ^#\d+ (?:/\S*\(\d+\): |\[internal function\]: ) ~ frames ~ orphan
    """,
    r"""
    message ~ (?:Stack trace:|\[stacktrace\])\s*$ ~ trace
    trace frames ~ #\d+ \S ~ frames!
    frames ~ \s+thrown in .* on line \d+\s*$ ~ done!
    frames ~ "\}\s*$ ~ done!
    frames gap ~ Next [\w\\]+ ~ message
    frames ~ <BLANK> ~ gap
    """,
    loose="message",
)
RUST = language(
    "rust",
    r"""
    _panicked_at_ ~ ^thread '.*' (?:\(\d+\) )?panicked at \S+:\d+:\d+:\s*$ ~ location
    _panicked_at_ ~ ^thread '.*' (?:\(\d+\) )?panicked at  ~ message
    Error:_ ~ ^Error: \S ~ error
    """,
    r"""
    location ~ .* ~ message!
    message note frames ~ note: ~ note!
    message note ~ stack backtrace:\s*$ ~ frames!
    frames ~ \s+(?:\d+: |at )\S ~ frames!
    error causes ~ <BLANK> ~ error
    error ~ Caused by:\s*$ ~ caused
    error ~ (?i:stack backtrace):\s*$ ~ caused
    caused causes ~ \s+\S ~ causes!
    """,
    loose="message",
    broken="location",
)
LANGUAGES = {found.name: found for found in (JAVA, PYTHON, GO, NODE, RUBY, PHP, DOTNET, RUST)}
ORDINARY = re.compile(
    r"\d|[\[{<]|[IWEF]\d{4} |(?:time|ts|level|severity|msg)=|"
    r"(?i:trace|debug|info|notice|warn|warning|error|fatal|critical|severe)\b",
    re.ASCII,
)
"""The beginning of a log entry: no further line of a message looks like it."""
