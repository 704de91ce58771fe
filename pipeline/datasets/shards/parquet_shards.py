"""Parquet shards: a row is a sample, with the columns a training loop asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pipeline.datasets.shards.samples import Sample
from pipeline.datasets.shards.shard_file import ShardFile

ROW_GROUP_BYTES = 32 << 20
"""Raw data in a row group; a writer and each reader hold about so much in memory."""

FOOTER_BYTES = 4096
"""Bytes that each row group adds to the end of the file at most, and bytes of the end itself."""

GROWTH = 3
"""How many times its own bytes a record takes at most: itself, and a float32 for 2 characters."""

LARGEST_INT32 = 2**31 - 1
LARGEST_FLOAT32 = (2 - 2**-23) * 2.0**127

COLUMNS_THAT_COMPRESS = (
    "record",
    "caption",
    "image_path",
    "image_id",
    "key",
    "image.path",
    "aspect_bucket",
    "t5_attention_mask.list.element",
    "dinov3_embedding.list.element",
)


class ParquetContent:
    """The content of a Parquet shard. The same samples make the same bytes.

    Args:
        file: The file to write to.
        with_patches: Whether there is a column of patch files.
    """

    def __init__(self, file: ShardFile, *, with_patches: bool) -> None:
        from pyarrow import parquet

        self._file = file
        self._schema = _schema(with_patches)
        leaves = [
            name for name in COLUMNS_THAT_COMPRESS if name.split(".")[0] in self._schema.names
        ]
        whole = {"image.bytes": "none", "height": "none", "width": "none"}
        if with_patches:
            whole["patches"] = "none"
        self._writer = parquet.ParquetWriter(
            file,
            self._schema,
            compression=dict.fromkeys(leaves, "zstd") | whole,
            use_dictionary=["aspect_bucket"],
            write_statistics=["key", "height", "width"],
            store_schema=True,
        )
        self._rows: list[dict[str, Any]] = []
        self._waiting = 0
        self._groups = 0

    def size_with(self, sample: Sample) -> int:
        """Return the bytes that the file would have at most if it ended behind a sample."""
        footer = FOOTER_BYTES * (self._groups + 2)
        return self._file.tell() + self._waiting + _bytes_of(sample) + footer

    def add(self, sample: Sample) -> None:
        """Put a sample behind the others."""
        size = _bytes_of(sample)
        if self._waiting + size > ROW_GROUP_BYTES:
            self._write_group()
        self._rows.append(_row(sample))
        self._waiting += size

    def close(self) -> None:
        """Write the last row group and the footer."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        import pyarrow

        if self._rows:
            rows, self._rows, self._waiting = self._rows, [], 0
            self._groups += 1
            table = pyarrow.Table.from_pylist(rows, schema=self._schema)
            self._writer.write_table(table, row_group_size=len(rows))


def _bytes_of(sample: Sample) -> int:
    return len(sample.image) + GROWTH * len(sample.record) + len(sample.patches or b"")


def _schema(with_patches: bool) -> Any:
    import pyarrow as pa

    fields = [
        ("key", pa.string()),
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("image_path", pa.string()),
        ("image_id", pa.string()),
        ("caption", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("aspect_bucket", pa.string()),
        ("dinov3_embedding", pa.list_(pa.float32())),
        ("t5_attention_mask", pa.list_(pa.uint8())),
        ("record", pa.string()),
    ]
    if with_patches:
        fields.append(("patches", pa.binary()))
    # By this `datasets` of Hugging Face hands out decoded images (datasets.Features).
    features = {"info": {"features": {"image": {"_type": "Image"}}}}
    return pa.schema(fields, metadata={"huggingface": json.dumps(features)})


def _row(sample: Sample) -> dict[str, Any]:
    text = sample.record.decode()
    fields = json.loads(text)

    def value(name: str, fits: Callable[[object], bool]) -> object:
        found = fields.get(name)
        return found if fits(found) else None

    return {
        "key": sample.key,
        "image": {"bytes": sample.image, "path": f"{sample.key}.{sample.suffix}"},
        "image_path": value("image_path", _is_text),
        "image_id": value("image_id", _is_text),
        "caption": value("caption", _is_text),
        "height": value("height", _is_int32),
        "width": value("width", _is_int32),
        "aspect_bucket": value("aspect_bucket", _is_text),
        "dinov3_embedding": value("dinov3_embedding", _is_floats),
        "t5_attention_mask": value("t5_attention_mask", _is_bytes),
        "record": text,
        "patches": sample.patches,
    }


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_int32(value: object) -> bool:
    return type(value) is int and abs(value) <= LARGEST_INT32


def _is_floats(value: object) -> bool:
    return isinstance(value, list) and all(
        type(item) in (int, float) and abs(item) <= LARGEST_FLOAT32 for item in value
    )


def _is_bytes(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item <= 255 for item in value)
