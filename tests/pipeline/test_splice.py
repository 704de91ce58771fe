"""Setting fields in a line of JSON: no other byte is touched."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from pipeline.datasets.splice import set_fields

BOM = b"\xef\xbb\xbf"

DOG = {"caption": b'"a dog"'}
CAPTION = frozenset({"caption"})

KEPT = {
    "numbers": b'{"image_path":"a","x":1e-05,"y":1.0,"z":-0,"w":1E+2,"v":0.10,"n":%s}'
    % (b"9" * 400),
    "escapes": b'{"image_path":"a","x":"\\u00e9\\/\\ud83d\\ude00\\b","y":"\xc3\xa9\xe2\x80\xa8"}',
    "a key twice": b'{"image_path":"a","x":1,"x":2}',
    "spaces": b' {  "image_path" :\t"a" , "x" : [ 1 ,2 ]  }  ',
    "objects": b'{"image_path":"a","x":{"caption":null,"y":{"caption":null}}}',
    "text": b'{"image_path":"a","x":"\\"caption\\":null, \\"caption\\": null}"}',
    "a brace behind": b'{"image_path":"a","x":"}"}',
    "CRLF": b'{"image_path":"a"}\r',
    "BOM": BOM + b'{"image_path":"a"}',
    "escaped keys": b'{"image_\\u0070ath":"a","\\u0078":1}',
}


@pytest.mark.parametrize("line", KEPT.values(), ids=KEPT)
def test_a_field_is_added_and_every_other_byte_stays(line: bytes) -> None:
    changed = set_fields(line, DOG, frozenset())

    assert changed.count(b',"caption":"a dog"}') + changed.count(b',"caption":"a dog" ') == 1
    assert changed.replace(b',"caption":"a dog"', b"", 1) == line
    assert json.loads(changed.removeprefix(BOM))["caption"] == "a dog"


@pytest.mark.parametrize("value", [b"null", b'""', b"[]", b"[ ]", b"{}"])
@pytest.mark.parametrize("line", KEPT.values(), ids=KEPT)
def test_what_says_nothing_is_replaced_where_it_stands(line: bytes, value: bytes) -> None:
    start, end = line.split(b'"a"', 1)
    before = start + b'"a" , "caption"\t: '
    changed = set_fields(before + value + end, DOG, CAPTION)

    assert changed == before + b'"a dog"' + end


REPLACED = {
    "a caption that spells the field": (
        b'{"image_path":"\\"caption\\":null","x":"\\"caption\\":null","caption":null,"y":"caption"}'
    ),
    "the same key within, before": b'{"image_path":"a","x":{"caption":null},"caption":null}',
    "the same key within, behind": b'{"image_path":"a","caption":null,"x":[{"caption":null}]}',
    "the same value of another field": b'{"image_path":"a","note":null,"caption":null,"b":null}',
    "a name that ends alike": b'{"image_path":"a","the caption":null,"caption":null}',
    "spread": b'{"image_path":"a",\t"caption" :\t null , "x":1}',
    "first": b'{"caption":null,"image_path":"a"}',
}


@pytest.mark.parametrize("line", REPLACED.values(), ids=REPLACED)
def test_the_field_itself_is_found(line: bytes) -> None:
    changed = set_fields(line, DOG, CAPTION)

    expected = json.loads(line) | {"caption": "a dog"}
    assert json.loads(changed) == expected
    assert changed.count(b'"a dog"') == 1
    assert changed.replace(b'"a dog"', b"null") == line


TWICE = {
    "both null": (b'{"caption":null,"caption":null}', b'{"caption":null,"caption":"a dog"}'),
    "one full": (b'{"caption":"old","caption":null}', b'{"caption":"old","caption":"a dog"}'),
    "between": (
        b'{"caption":null,"x":{"caption":null},"caption":null,"y":1}',
        b'{"caption":null,"x":{"caption":null},"caption":"a dog","y":1}',
    ),
    "another key twice": (
        b'{"x":1,"caption":null,"x":1e-05}',
        b'{"x":1,"caption":"a dog","x":1e-05}',
    ),
}


@pytest.mark.parametrize(("line", "expected"), TWICE.values(), ids=TWICE)
def test_of_a_field_that_stands_twice_the_last_counts(line: bytes, expected: bytes) -> None:
    assert set_fields(line, DOG, CAPTION) == expected


ESCAPED = {
    "alone": b'{"image_path":"a","capt\\u0069on":null,"x":1e-05}',
    "spread": b'{ "image_path": "a", "capt\\u0069on" : null, "x": 1 }\r',
    "BOM": BOM + b'{"image_path":"a","capt\\u0069on":null}',
    "others, too": b'{"image_path":"a","capt\\u0069on":null,"\\u0078":1,"caf\\u00e9":2}',
    "a key twice": b'{"image_path":"a","x":1,"x":2,"capt\\u0069on":null}',
}


@pytest.mark.parametrize("line", ESCAPED.values(), ids=ESCAPED)
def test_a_name_spelt_with_escapes_is_replaced_where_it_stands(line: bytes) -> None:
    changed = set_fields(line, DOG, CAPTION)

    assert json.loads(changed.removeprefix(BOM))["caption"] == "a dog"
    assert changed.replace(b'"a dog"', b"null") == line


SAME = {
    "spaces": (b'{"v":[1, 2]}', b"[1,2]"),
    "form of numbers": (b'{"v":[1e-05,1.0,10E1]}', b"[0.00001,1.0,100.0]"),
    "escapes": (b'{"v":"caf\\u00e9\\/"}', b'"caf\xc3\xa9/"'),
    "order": (b'{"v":{"a":1,"b":2}}', b'{"b":2,"a":1}'),
}


@pytest.mark.parametrize(("line", "value"), SAME.values(), ids=SAME)
def test_a_value_that_means_the_same_stays_as_it_is_written(line: bytes, value: bytes) -> None:
    assert set_fields(line, {"v": value}, frozenset({"v"})) == line


def test_true_is_no_number() -> None:
    changed = set_fields(b'{"mask":[true,false]}', {"mask": b"[1,0]"}, frozenset({"mask"}))
    assert changed == b'{"mask":[1,0]}'


def test_several_fields_at_once_keep_their_order() -> None:
    line = b'{"image_path":"a","height":null,"x":1}'
    fields = {"width": b"3", "height": b"2", "caption": b'"c"'}

    expected = b'{"image_path":"a","height":2,"x":1,"width":3,"caption":"c"}'
    assert set_fields(line, fields, frozenset({"height"})) == expected
    assert set_fields(line, {}, frozenset()) == line


NAMES = ("caption", "height", "x", "a caption", "é", "tab\t", 'quote"', "")
TEXTS = ("", "a dog", '"caption":null', '{"height":1}', "é\u2028😀", "}", "\\", "a\n")


def random_value(rng: Random, depth: int = 0) -> Any:
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind < 2:
        return None
    if kind == 2:
        return rng.choice([0, -1, 1.5, 1e-05, 10**30, -0.0, True, False])
    if kind < 6:
        return rng.choice(TEXTS)
    if kind == 6:
        return [random_value(rng, depth + 1) for _ in range(rng.randrange(3))]
    return {name: random_value(rng, depth + 1) for name in rng.sample(NAMES, rng.randrange(4))}


def random_text(rng: Random, value: Any) -> str:
    """Return JSON as nobody's encoder writes it."""
    space = rng.choice(["", "", " ", "\t ", "  "])
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k)}{space}:{space}{random_text(rng, v)}" for k, v in value.items())
        return "{" + space + f"{space},{space}".join(pairs) + space + "}"
    if isinstance(value, list):
        return "[" + space + f",{space}".join(random_text(rng, each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=rng.random() < 0.5)


@pytest.mark.parametrize("seed", range(8))
def test_random_lines_differ_in_the_spliced_bytes_alone(seed: int) -> None:
    rng = Random(seed)
    mark = b'"\xe2\x9c\x94 set"'
    for _ in range(500):
        fields = {name: random_value(rng) for name in rng.sample(NAMES, rng.randrange(1, 7))}
        fields = {"image_path": "a", **fields}
        line = rng.choice(["", " "]) + random_text(rng, fields) + rng.choice(["", " ", "\r"])
        data = line.encode()
        wanted = rng.sample(["caption", "height", "new_one"], rng.randrange(1, 4))
        present = frozenset(name for name in wanted if name in fields)
        changed = set_fields(data, dict.fromkeys(wanted, mark), present)

        assert json.loads(changed) == fields | dict.fromkeys(wanted, "✔ set"), data
        rest = changed
        for name in wanted:
            if name not in present:
                rest = rest.replace(b',"%b":%b' % (name.encode(), mark), b"", 1)
        assert rest.count(mark) == len(present)
        assert pieces_in_order(data, rest.split(mark)), data


def pieces_in_order(line: bytes, pieces: list[bytes]) -> bool:
    """Tell whether a line is these pieces, with one JSON value between each two."""
    at = len(pieces[0])
    if not line.startswith(pieces[0]):
        return False
    for piece in pieces[1:]:
        text = line[at:].decode()
        _, length = json.JSONDecoder().raw_decode(text)
        at += len(text[:length].encode())
        if not line.startswith(piece, at):
            return False
        at += len(piece)
    return at == len(line)


def test_many_values_alike_within_are_passed_over() -> None:
    within = b",".join([b'{"v":null}'] * 20_000)
    line = b'{"a":[%b],"v":null,"b":[%b]}' % (within, within)

    expected = b'{"a":[%b],"v":1,"b":[%b]}' % (within, within)
    assert set_fields(line, {"v": b"1"}, frozenset({"v"})) == expected
