"""What components find about themselves. One that fails while it looks is a finding too."""

import asyncio
from collections.abc import Iterable, Sequence

from logship.api import Component
from logship.finding import Finding

LIVE_SECS = 60.0
"""For all calls of a component."""


def local(component: Component) -> Sequence[Finding]:
    """Blocks."""
    try:
        return component.check()
    except Exception as error:
        return [_bug(error)]


async def live(components: Iterable[Component]) -> list[Sequence[Finding]]:
    """Of each, in their order; they look at the same time."""
    return await asyncio.gather(*map(_live, components))


async def _live(component: Component) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(LIVE_SECS):
            return await component.check_live()
    except TimeoutError:
        return [Finding("live", "failed", f"no result after {LIVE_SECS:g} s")]
    except Exception as error:
        return [_bug(error)]


def _bug(error: Exception) -> Finding:
    return Finding("the check itself", "failed", f"{type(error).__name__}: {error}")
