"""Years."""

from pathlib import Path


async def run(folder: Path, years: float) -> None:
    """To be made."""
