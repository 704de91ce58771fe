"""Titles: words that set captions apart, one form of each, no two titles alike side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from pipeline.clusters.keywords import FILLERS, KEYWORDS, NOUNS, TITLE_WORDS, Lexicon, titles

OTHERS = ["a red house", "the blue sky over a lake"] * 10


def keywords(*groups: Sequence[str]) -> list[list[str]]:
    """Return the keywords of groups of captions."""
    captions = [caption for group in groups for caption in group]
    bounds = np.cumsum([0, *map(len, groups)])
    places = [np.arange(start, end) for start, end in pairwise(bounds)]
    return Lexicon(captions).keywords(places)


PLURALS = [
    ("giraffe", "giraffes"),
    ("bus", "buses"),
    ("man", "men"),
    ("woman", "women"),
    ("box", "boxes"),
    ("ski", "skis"),
    ("glass", "glasses"),
    ("lens", "lenses"),
    ("bench", "benches"),
    ("dish", "dishes"),
    ("city", "cities"),
    ("horse", "horses"),
    ("fireman", "firemen"),
    ("child", "children"),
    ("person", "people"),
    ("knife", "knives"),
    ("shelf", "shelves"),
    ("tomato", "tomatoes"),
    ("taxi", "taxis"),
    ("dog", "dog's"),
    ("dog", "dog’s"),
]


@pytest.mark.parametrize(("one", "many"), PLURALS)
@pytest.mark.parametrize(("ones", "manies"), [(5, 5), (1, 9), (9, 1), (1, 40), (40, 1)])
def test_one_and_many_are_one_word(one: str, many: str, ones: int, manies: int) -> None:
    captions = [f"a {one} here"] * ones + [f"two {many} here"] * manies
    found = keywords(captions, OTHERS)[0]
    assert len(found) == 1
    assert found[0] in (one, many)


@pytest.mark.parametrize(
    ("first", "second"), [("news", "new"), ("glass", "class"), ("ski", "sky"), ("bus", "bush")]
)
def test_words_that_merely_look_alike_stay_apart(first: str, second: str) -> None:
    found = keywords([f"{first} today"] * 30 + [f"{second} today"] * 2, OTHERS)[0]
    assert {first, second} <= {*found}


def test_the_commoner_form_of_a_word_is_shown() -> None:
    assert keywords(["surfers on waves"] * 9 + ["a surfer on a wave"], OTHERS)[0] == [
        "surfers",
        "waves",
    ]


def test_no_stop_word_is_a_keyword() -> None:
    """Nor the plural of a filler, such as views."""
    text = " ".join(sorted((ENGLISH_STOP_WORDS - NOUNS) | FILLERS))
    plurals = " ".join(f"{word}s" for word in sorted(FILLERS))
    captions = [f"{text} {plurals} lighthouse"] * 5 + [text] * 3
    assert keywords(captions, OTHERS)[0] == ["lighthouse"]


def test_a_noun_that_passes_for_a_stop_word_is_a_keyword() -> None:
    assert keywords(["a fire hydrant by the mill"] * 5, OTHERS)[0] == ["fire", "hydrant", "mill"]


@pytest.mark.parametrize("caption", ["", "   ", "...", "42", "a", "the of and", "\x00\x1b[31m"])
def test_captions_without_words_have_no_keywords(caption: str) -> None:
    assert keywords([caption] * 3) == [[]]
    assert keywords([caption] * 3, ["a dog"] * 3) == [[], ["dog"]]
    assert keywords([]) == [[]]
    assert Lexicon([]).keywords([]) == []


@pytest.mark.parametrize(
    ("caption", "word"),
    [
        ("ein schöner Hund im Garten", "hund"),
        ("un vélo rouge à côté d'un café", "vélo"),
        ("красный велосипед у стены", "велосипед"),
        ("红色的自行车", "红色的自行车"),
        ("赤い 自転車", "自転車"),
    ],
)
def test_words_of_other_languages_are_words(caption: str, word: str) -> None:
    assert word in keywords([caption] * 4, OTHERS)[0]


def test_what_sets_a_cluster_apart_comes_before_what_all_share() -> None:
    first, second = keywords(
        [f"a dog in the park, number{n}" for n in range(20)],
        [f"a kite in the park, number{n}" for n in range(20, 40)],
    )
    assert first[:2] == ["dog", "park"]
    assert second[:2] == ["kite", "park"]
    assert len(first) == KEYWORDS


def test_groups_may_lie_within_one_another() -> None:
    lexicon = Lexicon(["a dog"] * 5 + ["a cat"] * 5 + ["a tree"] * 5)
    inner, outer = lexicon.keywords([np.arange(5), np.arange(10)])
    assert inner == ["dog"]
    assert outer == ["cat", "dog"]


def test_the_same_captions_have_the_same_keywords_whatever_their_order() -> None:
    random = Random(4)
    words = [f"word{number}" for number in range(12)]
    captions = [" ".join(random.sample(words, 4)) for _ in range(60)]
    found = keywords(captions)
    for _ in range(5):
        random.shuffle(captions)
        assert keywords(captions) == found


# Titles


def test_a_title_is_a_few_keywords() -> None:
    assert titles([["dog", "park", "ball", "grass"]], [None]) == ["dog, park, ball"]
    assert TITLE_WORDS == 3


def test_siblings_with_the_same_first_words_tell_more() -> None:
    made = titles([["a", "b", "c", "d"], ["a", "b", "c", "e"], ["a", "b", "c", "f"]], [None] * 3)
    assert made == ["a, b, c", "a, b, c, e", "a, b, c, f"]


def test_siblings_with_the_same_words_are_numbered() -> None:
    assert titles([["dog"], ["dog"], [], []], [None] * 4) == [
        "dog",
        "dog (2)",
        "untitled",
        "untitled (2)",
    ]


def test_cousins_may_share_a_title() -> None:
    assert titles([["dog"], ["cat"], ["bed"], ["bed"]], [None, None, 0, 1])[2:] == ["bed", "bed"]


@pytest.mark.parametrize("seed", range(20))
def test_siblings_never_share_a_title(seed: int) -> None:
    random = Random(seed)
    words = [
        random.choices("abc", k=random.randrange(5)) + random.choices("xyz", k=2)
        for _ in range(200)
    ]
    words += [[] for _ in range(20)]
    parents = [None if place < 5 else random.randrange(5) for place in range(len(words))]
    made = titles(words, parents)
    assert len({*zip(parents, made, strict=True)}) == len(made)
    assert made == titles(words, parents)
