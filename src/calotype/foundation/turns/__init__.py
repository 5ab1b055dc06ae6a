"""Turns: writers go one after the other, in the order in which they came."""

from calotype.foundation.turns.turns import Turns

__all__ = ["Turns"]
