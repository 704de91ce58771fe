"""Titles of clusters: the words that distinguish the captions of a cluster.

A variant of class-based TF-IDF (Grootendorst 2022, arXiv:2203.05794): the share of a
cluster's captions that hold a word, times log(1 + all captions / those that hold it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer
from snowballstemmer import stemmer

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = r"(?u)\b[^\W\d_][\w'’-]*[^\W_]\b"
KEYWORDS = 8
TITLE_WORDS = 3

FILLERS = frozenset(
    "image images photo photos photograph picture pictures view shot scene background "  # noqa: SIM905
    "foreground shows showing shown features featuring depicts depicting visible appears "
    "taken portrait landscape format various several different many lot lots bunch couple "
    "group side sides large small big little close near next front sitting standing "
    "looking laying lying".split()
)
"""Words that occur in captions of any subject; no stop words, but useless in a title."""

NOUNS = frozenset(
    "amount bill bottom computer cry detail fire interest mill mine system".split()  # noqa: SIM905
)
"""Stop words of scikit-learn that are useful in a title, as in `fire hydrant`."""

IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "people": "person",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "geese": "goose",
    "knives": "knife",
    "wives": "wife",
    "wolves": "wolf",
    "calves": "calf",
    "halves": "half",
    "leaves": "leaf",
    "loaves": "loaf",
    "scarves": "scarf",
    "shelves": "shelf",
}
"""Irregular plurals that the stemmer does not know."""


class Lexicon:
    """Counts the words of captions by stem, so that `giraffe` and `giraffes` count as one.

    Args:
        captions: All captions of a library.
    """

    def __init__(self, captions: Sequence[str]) -> None:
        self._stop = (ENGLISH_STOP_WORDS - NOUNS) | FILLERS
        stem = stemmer("english").stemWord
        self._stem = cache(lambda word: stem(IRREGULAR.get(word, word)))
        vectorizer = CountVectorizer(token_pattern=WORD, binary=True, dtype=np.int32)
        try:
            counts = vectorizer.fit_transform(captions)
        except ValueError:  # no word at all
            self._stems: list[str] = []
            self._spelling: list[str] = []
            self._counts: Any = np.zeros((len(captions), 0), np.int32)
            return
        self._fold(counts, list(vectorizer.get_feature_names_out()))

    def _fold(self, counts: Any, words: list[str]) -> None:
        """Add up the columns of words with the same stem; the most frequent spelling is kept."""
        from scipy.sparse import csr_matrix

        totals = np.asarray(counts.sum(0)).ravel()
        common = dict(zip(words, totals.tolist(), strict=True))
        places: dict[str, int] = {}
        spellings: dict[str, tuple[int, str]] = {}
        pairs: list[tuple[int, int]] = []
        for column, word in enumerate(words):
            bare = word.removesuffix("'s").removesuffix("’s")
            if bare in self._stop or len(bare) < 2:
                continue
            singular = _singular(bare, common)
            if singular in self._stop:
                continue
            stem = self._stem(singular)
            pairs.append((column, places.setdefault(stem, len(places))))
            spelling = IRREGULAR.get(singular, singular)
            spellings[stem] = max(spellings.get(stem, (0, "")), (int(totals[column]), spelling))
        rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
        ones = np.ones(len(pairs), np.int32)
        self._stems = list(places)
        self._spelling = [spellings[stem][1] for stem in places]
        self._counts = counts @ csr_matrix((ones, (rows, columns)), (len(words), len(places)))

    def keywords(self, groups: Sequence[NDArray[np.int64]]) -> list[list[str]]:
        """Return the words that distinguish each group of captions from all others.

        Args:
            groups: Places of the captions of each group. Groups that lie within one
                another are allowed, because each is compared with the whole library.
        """
        if not self._stems:
            return [[] for _ in groups]
        total = np.asarray(self._counts.sum(0), np.float64).ravel()
        captions = max(1, self._counts.shape[0])
        found = []
        for group in groups:
            own = np.asarray(self._counts[group].sum(0), np.float64).ravel()
            found.append(self._best(own, total, len(group), captions))
        return found

    def _best(
        self, own: NDArray[np.float64], total: NDArray[np.float64], size: int, captions: int
    ) -> list[str]:
        """Rank words by their frequency in the group against their frequency in the library."""
        share = own / max(1, size)
        weight = share * np.log1p(captions / np.maximum(1, total))
        order = np.lexsort((np.arange(len(weight)), -weight))[:KEYWORDS]
        return [self._spelling[place] for place in order if own[place] > 0]


def _singular(word: str, count: dict[str, int]) -> str:
    """Return a word without its plural ending, if the singular occurs in the captions as well.

    A word without its `s` may be another word, as `new` and `news`, so it must be frequent.
    """
    if word.endswith("men") and (one := word.removesuffix("men") + "man") in count:
        return one
    bare = word.removesuffix("es")
    if bare != word and bare.endswith(("s", "x", "z", "ch", "sh")) and bare in count:
        return bare
    for ending in ("s", "es"):
        bare = word.removesuffix(ending)
        if bare != word and count.get(bare, 0) * 5 >= count.get(word, 0) > 0:
            return bare
    return word


def titles(keywords: Sequence[Sequence[str]], parents: Sequence[int | None]) -> list[str]:
    """Return a title for each cluster; siblings never share one.

    Args:
        keywords: Keywords of each cluster, the best first.
        parents: Index of the parent of each cluster, None at the top.
    """
    used: Counter[tuple[int | None, str]] = Counter()
    made = []
    for words, parent in zip(keywords, parents, strict=True):
        title = ""
        for count in range(TITLE_WORDS, KEYWORDS + 1):
            title = ", ".join(words[:count]) or "untitled"
            if not used[parent, title]:
                break
        used[parent, title] += 1
        again = used[parent, title]
        made.append(title if again == 1 else f"{title} ({again})")
    return made
