"""The byte facts of real log files, as containerd, conmon and Docker write them."""

import pytest

from logship.rows.lines import Lines, cri, docker, plain

TIME = "2026-11-23T04:46:31.123456789Z"


def one(lines: Lines) -> tuple[str, str, str, str, bool]:
    assert len(lines.texts) == 1
    bad = 0 in lines.malformed
    return lines.times[0], lines.streams[0], lines.tags[0], lines.texts[0], bad


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b" stdout F hello\n", "hello"),
        (b" stdout F \n", ""),
        (b" stdout F lone \r stays\r\n", "lone \r stays\r"),
        (b" stdout F \x00\xff\n", "\x00�"),
        (b" stdout F   two spaces before\n", "  two spaces before"),
        (b" stdout F:x:y tags\n", "tags"),
        ("日本語".encode().join([b" stdout F ", b"\n"]), "日本語"),
    ],
)
def test_cri_content_is_exactly_what_was_written(line: bytes, text: str) -> None:
    assert one(cri(TIME.encode() + line)) == (TIME, "stdout", "F", text, False)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"garbage",
        b"2026-11-23T04:46:31.123456789Z stdout F",
        b"2026-11-23T04:46:31.1234567890Z stdout F ten digits",
        b"2026-11-23T04:46:61Z stdout F no such second",
        b"2026-02-30T04:46:31Z stdout F no such day",
        b"2026-11-23T04:46:31Z stdin F no such stream",
        b"2026-11-23T04:46:31Z stdout X no such tag",
        b"2026-11-23 04:46:31Z stdout F a space",
        b"\x00\x00\x00\x00" + TIME.encode() + b" stdout F after a crash of the node",
        b" " + TIME.encode() + b" stdout F a space first",
    ],
)
def test_a_line_that_is_not_cri_never_swallows_its_neighbour(line: bytes) -> None:
    good = TIME.encode() + b" stderr F good\n"
    lines = cri(good + line + b"\n" + good)
    assert list(lines.texts) == ["good", line.decode(errors="replace"), "good"]
    assert list(lines.streams) == ["stderr", "stdout", "stderr"]
    assert lines.malformed == {1}
    assert lines.starts == [0, len(good), len(good) + len(line) + 1, 2 * len(good) + len(line) + 1]


def test_docker_lines_are_joined_by_their_missing_newline() -> None:
    block = (
        b'{"log":"par","stream":"stdout","time":"2026-11-23T04:46:31.5Z"}\n'
        b'{"log":"tial\\n","stream":"stdout","time":"2026-11-23T04:46:31.6Z"}\n'
    )
    lines = docker(block)
    assert list(lines.texts) == ["par", "tial"]
    assert list(lines.tags) == ["P", "F"]


@pytest.mark.parametrize(
    "line", [b"{}", b"[]", b"{", b'{"log":1,"stream":"stdout","time":"2026-11-23T04:46:31Z"}',
             b'{"log":"a","stream":"stdout","time":"yesterday"}']
)  # fmt: skip
def test_a_line_that_is_not_json_file_is_a_row_of_its_own(line: bytes) -> None:
    assert one(docker(line + b"\n")) == ("", "stdout", "F", line.decode(), True)


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("2026-11-23T04:46:31.5+01:00 hello", "2026-11-23T04:46:31.5+01:00"),
        ("[2026-11-23 04:46:31Z] hello", "2026-11-23T04:46:31Z"),
        ("2026-11-23T04:46:31Zulu", ""),
        ("hello 2026-11-23T04:46:31Z", ""),
    ],
)
def test_a_plain_line_may_begin_with_its_time(line: str, time: str) -> None:
    assert one(plain(line.encode() + b"\n")) == (time, "stdout", "F", line, False)


def test_the_last_line_may_lack_its_newline() -> None:
    assert plain(b"a\nb").starts == [0, 2, 3]
    assert list(plain(b"a\nb").texts) == ["a", "b"]
