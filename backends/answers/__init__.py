"""Is this a caption? Every backend's answer passes here before it counts.

`judge` asks the others in turn: `legible` makes the text safe to handle, `listening` tells
what a model says from what it thinks (by the marks in `marks`), `wrapping` takes the caption
out of what stands around it. `repetition` knows endless answers, `program` what no model says but
a program writes. `talk` knows answers that speak of the model and the request instead of a photo:
it weighs each `clause` by the words in `languages`.
"""

from __future__ import annotations

from backends.answers.judge import LONGEST_ANSWER, read

__all__ = ["LONGEST_ANSWER", "read"]
