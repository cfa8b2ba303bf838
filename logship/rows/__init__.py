"""The row kernel: find the rows of a block, address them, join what the runtime cut.

Everything here is a pure function of bytes: no I/O, no clock, no state that is not an argument.
`address` says what a row is called, `lines` finds physical lines strictly, `index` makes rows of
them (joining partials), `joins` makes multi-line records of rows (`traces` with the `languages`, or
`first_lines`), `cut` decides how far a stream of bytes can be cut now (`last_lines` tells cheaply
when nothing is open), `encode` turns columns into JSON.
"""
