"""Values of the environment do not show in what plugins say, and our own words stay readable."""

import pytest

from logship.config.problems import Mark, Report


@pytest.mark.parametrize(
    ("value", "said", "shown"),
    [
        ("n", "no credentials for node 'n'", "no credentials for node '${NAME}'"),
        ("c", "c is a bad cluster", "${NAME} is a bad cluster"),
        ("hunter2", "the key hunter2 is too short", "the key ${NAME} is too short"),
        ("hunter2", "hunter22 is too short", "hunter22 is too short"),
        ("correct-horse", "base64:correct-horseX", "base64:${NAME}X"),
        ("a.b*c", "'a.b*c' and axbbc", "'${NAME}' and axbbc"),
    ],
)
def test_values_are_masked_where_they_stand(value: str, said: str, shown: str) -> None:
    report = Report("f.yaml", "a: ${NAME}\n")
    report.secrets[value] = "NAME"
    report.foreign(Mark(1, 1), "a", said)
    assert [problem.message for problem in report.problems] == [shown]
