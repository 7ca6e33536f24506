"""Judges what a clinic does against dated policies, and keeps event and decision in a log that proves itself."""
