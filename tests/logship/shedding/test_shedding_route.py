"""A route that sheds: what it drops, what it keeps, what it says, and when."""

from pathlib import Path

from tests.logship.shedding.shed_stage import QUOTA, Stage, on_stage, said


def test_a_quota_spell_drops_debug_then_info_never_errors_and_says_so(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        written = {"DEBUG": 0, "INFO": 0, "ERROR": 0}

        def write() -> None:
            for severity in written:
                app.write(*(said(severity, f"{severity} {n}") for n in range(5)))
                written[severity] += 5

        stage.sink.mood = "refuses"
        await stage.run(60, write)
        assert stage.shedding.as_dict()["severities"] == ["DEBUG", "INFO"]
        stage.sink.mood = "takes"
        await stage.run(120)
        assert stage.shedding.stage == 0
        assert app.settled_all()
        errors = [text for text in stage.sink.texts if text.startswith("ERROR")]
        assert len(errors) == written["ERROR"]
        for severity in ("DEBUG", "INFO"):
            here = len([text for text in stage.sink.texts if text.startswith(severity)])
            assert here + stage.sink.announced(severity) == written[severity]
            assert stage.sink.announced(severity) > 100
        assert stage.sink.announced("DEBUG") > stage.sink.announced("INFO")
        assert stage.counters.unaccounted == 0
        print(stage.sink.summaries)

    on_stage(lambda: Stage(tmp_path, QUOTA), work)
