"""Proto JSON as Google's front end reads it: which JSON values fit which type of field.

A request that is valid JSON but not a valid message is refused as a whole with 400, whatever
`partialSuccess` says, because it never reaches Cloud Logging. Here each message is a table of its
fields; a *kind* takes a JSON value and returns it in canonical form (camelCase names, no nulls) or
raises `Violation`, which collects the path of the field while it travels up.

Rules (protobuf's JSON mapping): a field may be written in camelCase or as in the .proto; null is
"not set"; int32/int64 may be strings; enums are names or numbers; bools and strings are strict; a
oneof may be set once; a name that is not in the table is an error.
"""

from collections.abc import Callable

import orjson

from logship_sandbox.logging_time import format_time, parse_time

SEVERITIES = {
    "DEFAULT": 0,
    "DEBUG": 100,
    "INFO": 200,
    "NOTICE": 300,
    "WARNING": 400,
    "ERROR": 500,
    "CRITICAL": 600,
    "ALERT": 700,
    "EMERGENCY": 800,
}
_SEVERITY_NAMES = {number: name for name, number in SEVERITIES.items()}

Kind = Callable[[object], object]


class Violation(ValueError):
    """One field that does not fit; `path` grows from the inside out."""

    def __init__(self, about: str, shown: str, *, unknown_name: bool = False) -> None:
        super().__init__(about)
        self._about = about
        self._shown = shown
        self._unknown_name = unknown_name
        self.path = ""

    def under(self, part: str) -> "Violation":
        """The same violation, seen from one level up; `part` is a field name or "[3]"."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        self.path = part + joint + self.path
        return self

    def message(self) -> str:
        """In the words of Google's front end."""
        where = f" at '{self.path}'" if self.path else ""
        if self._unknown_name:
            return (
                f'Invalid JSON payload received. Unknown name "{self._shown}"{where}: {self._about}'
            )
        return f"Invalid value{where} ({self._about}), {self._shown}"


def wrong(about: str, value: object) -> Violation:
    """A violation that shows the value, cut to a readable length."""
    return Violation(about, orjson.dumps(value).decode()[:200])


def string(value: object) -> object:
    if type(value) is not str:
        raise wrong("TYPE_STRING", value)
    return value


def boolean(value: object) -> object:
    if type(value) is not bool:
        raise wrong("TYPE_BOOL", value)
    return value


def integer(bits: int) -> Kind:
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1

    def kind(value: object) -> object:
        number = value
        if type(number) is str and number.lstrip("-").isdecimal() and number.isascii():
            number = int(number)
        if type(number) is float and number.is_integer():
            number = int(number)
        if type(number) is not int or not low <= number <= high:
            raise wrong(f"TYPE_INT{bits}", value)
        return str(number) if bits == 64 else number  # int64 is a string in canonical JSON

    return kind


def timestamp(value: object) -> object:
    try:
        return format_time(parse_time(value if isinstance(value, str) else ""))
    except ValueError:
        raise wrong("type.googleapis.com/google.protobuf.Timestamp", value) from None


def duration(value: object) -> object:
    number = value[:-1] if isinstance(value, str) and value.endswith("s") else ""
    whole, _, fraction = number.removeprefix("-").partition(".")
    digits = whole + fraction
    if not (digits.isdecimal() and digits.isascii() and whole and len(fraction) <= 9):
        raise wrong("type.googleapis.com/google.protobuf.Duration", value)
    if int(whole) > 315_576_000_000:
        raise wrong("type.googleapis.com/google.protobuf.Duration", value)
    return value


def severity(value: object) -> object:
    if type(value) is str and value in SEVERITIES:
        return value
    # An enum is open in proto3: a number without a name stays a number.
    if type(value) is int and -(1 << 31) <= value < 1 << 31:
        return _SEVERITY_NAMES.get(value, value)
    raise wrong("type.googleapis.com/google.logging.type.LogSeverity", value)


def struct(value: object) -> object:
    if type(value) is not dict:
        raise wrong("type.googleapis.com/google.protobuf.Struct", value)
    return value


def any_message(value: object) -> object:
    if type(value) is not dict or type(value.get("@type")) is not str:
        raise wrong("type.googleapis.com/google.protobuf.Any", value)
    return value


def string_map(value: object) -> object:
    if type(value) is not dict:
        raise wrong("TYPE_MESSAGE", value)
    for place, item in enumerate(value.values()):
        if type(item) is not str:
            raise wrong("TYPE_STRING", item).under(f"[{place}].value")
    return value


def repeated(kind: Kind) -> Kind:
    """A list of what `kind` takes."""

    def read(value: object) -> object:
        if type(value) is not list:
            raise wrong("TYPE_REPEATED", value)
        items = []
        for place, item in enumerate(value):
            try:
                items.append(kind(item))
            except Violation as violation:
                raise violation.under(f"[{place}]") from None
        return items

    return read


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def message(name: str, fields: dict[str, Kind], oneof: frozenset[str] = frozenset()) -> Kind:
    """An object with these fields, by their names in the .proto; of `oneof` one may be set."""
    table = {proto: (proto, _camel(proto), kind) for proto, kind in fields.items()}
    table |= {camel: row for row in table.values() for camel in (row[1],)}

    def read(value: object) -> object:
        if type(value) is not dict:
            raise wrong(f"type.googleapis.com/{name}", value)
        out: dict[str, object] = {}
        for key, item in value.items():
            row = table.get(key)
            if row is None:
                raise Violation("Cannot find field.", key, unknown_name=True)
            if item is None:
                continue
            try:
                out[row[1]] = row[2](item)
            except Violation as violation:
                raise violation.under(row[0]) from None
        if len(oneof & out.keys()) > 1:
            raise Violation(
                "oneof", f"only one of {', '.join(sorted(oneof & out.keys()))} may be set"
            )
        return out

    return read
