"""The click application."""

from __future__ import annotations

import click


@click.group()
def main() -> None:
    """Judges what a clinic does against dated policies, and keeps event and decision in a log that proves itself."""
