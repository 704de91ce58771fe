"""Tables and views of the database that a cache is imported into.

A view that shows regions or texts shows them for the copies of a photo, too.
"""

from __future__ import annotations

APPLICATION = 0x70636349
"""`application_id` of the file."""

LAYOUT = 1
"""`user_version`: grows when a table changes."""

SCHEMA = (
    """CREATE TABLE caches (
        id INTEGER PRIMARY KEY,
        cache_id TEXT NOT NULL UNIQUE,
        phase INTEGER NOT NULL,
        version INTEGER NOT NULL,
        models TEXT NOT NULL,
        generated_at TEXT NOT NULL,
        schema_hash TEXT NOT NULL,
        dataset_digest TEXT NOT NULL,
        adapted TEXT
    )""",
    """CREATE TABLE images (
        id INTEGER PRIMARY KEY,
        cache INTEGER NOT NULL REFERENCES caches (id),
        image_id TEXT NOT NULL,
        raw_path TEXT,
        digest TEXT,
        width INTEGER,
        height INTEGER,
        copied_from INTEGER REFERENCES images (id) ON DELETE SET NULL
    )""",
    "CREATE UNIQUE INDEX images_by_name ON images (image_id) WHERE raw_path IS NULL",
    "CREATE UNIQUE INDEX images_by_raw_path ON images (raw_path) WHERE raw_path IS NOT NULL",
    "CREATE INDEX images_by_image_id ON images (image_id)",
    "CREATE INDEX images_by_digest ON images (digest)",
    "CREATE INDEX images_by_cache ON images (cache)",
    "CREATE INDEX copies ON images (copied_from) WHERE copied_from IS NOT NULL",
    """CREATE TABLE outcomes (
        id INTEGER PRIMARY KEY,
        image INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
        stage TEXT NOT NULL,
        status TEXT NOT NULL,
        at TEXT NOT NULL,
        lines INTEGER NOT NULL,
        version TEXT NOT NULL,
        digest TEXT,
        width INTEGER,
        height INTEGER,
        work TEXT,
        error TEXT,
        copied_from TEXT,
        original INTEGER REFERENCES images (id) ON DELETE SET NULL,
        worker TEXT,
        UNIQUE (image, stage)
    )""",
    "CREATE INDEX outcomes_by_original ON outcomes (original) WHERE original IS NOT NULL",
    "CREATE INDEX outcomes_by_status ON outcomes (stage, status)",
    """CREATE TABLE regions (
        id INTEGER PRIMARY KEY,
        image INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
        region_id TEXT NOT NULL,
        x0 REAL NOT NULL,
        y0 REAL NOT NULL,
        x1 REAL NOT NULL,
        y1 REAL NOT NULL,
        caption TEXT,
        detector_version TEXT NOT NULL,
        UNIQUE (image, region_id)
    )""",
    """CREATE TABLE labels (
        region INTEGER NOT NULL REFERENCES regions (id) ON DELETE CASCADE,
        rank INTEGER NOT NULL,
        label TEXT NOT NULL,
        score REAL NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (region, rank)
    ) WITHOUT ROWID""",
    "CREATE INDEX labels_by_label ON labels (label, score)",
    """CREATE TABLE texts (
        id INTEGER PRIMARY KEY,
        image INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
        region INTEGER REFERENCES regions (id) ON DELETE SET NULL,
        text_id TEXT NOT NULL,
        text TEXT NOT NULL,
        confidence REAL NOT NULL,
        language TEXT,
        source TEXT NOT NULL,
        quad TEXT,
        skipped TEXT,
        UNIQUE (image, text_id)
    )""",
    "CREATE INDEX texts_by_region ON texts (region) WHERE region IS NOT NULL",
    """CREATE TABLE embeddings (
        region INTEGER PRIMARY KEY REFERENCES regions (id) ON DELETE CASCADE,
        model TEXT NOT NULL,
        dimensions INTEGER NOT NULL,
        vector BLOB NOT NULL,
        CHECK (length(vector) = 4 * dimensions)
    )""",
    """CREATE VIEW objects AS
        SELECT images.image_id, images.raw_path, regions.region_id, best.label, best.score,
            (SELECT group_concat(label || ' ' || printf('%.2f', score), ', ')
                FROM (SELECT label, score FROM labels WHERE region = regions.id ORDER BY rank)
            ) AS labels,
            regions.x0, regions.y0, regions.x1, regions.y1,
            regions.caption, regions.detector_version,
            NULL AS copied_from, regions.id AS region
        FROM regions JOIN images ON images.id = regions.image
        LEFT JOIN labels AS best ON best.region = regions.id AND best.rank = 0
        UNION ALL
        SELECT images.image_id, images.raw_path, regions.region_id, best.label, best.score,
            (SELECT group_concat(label || ' ' || printf('%.2f', score), ', ')
                FROM (SELECT label, score FROM labels WHERE region = regions.id ORDER BY rank)
            ),
            regions.x0, regions.y0, regions.x1, regions.y1,
            regions.caption, regions.detector_version,
            original.image_id, regions.id
        FROM outcomes
        JOIN images ON images.id = outcomes.image
        JOIN images AS original ON original.id = outcomes.original
        JOIN regions ON regions.image = original.id
        LEFT JOIN labels AS best ON best.region = regions.id AND best.rank = 0
        WHERE outcomes.stage = 'detect'""",
    """CREATE VIEW image_texts AS
        SELECT images.image_id, images.raw_path, texts.text_id, texts.text, texts.confidence,
            texts.language, texts.source, regions.region_id, texts.quad, NULL AS copied_from
        FROM texts JOIN images ON images.id = texts.image
        LEFT JOIN regions ON regions.id = texts.region
        WHERE texts.skipped IS NULL
        UNION ALL
        SELECT images.image_id, images.raw_path, texts.text_id, texts.text, texts.confidence,
            texts.language, texts.source, regions.region_id, texts.quad, original.image_id
        FROM outcomes
        JOIN images ON images.id = outcomes.image
        JOIN images AS original ON original.id = outcomes.original
        JOIN texts ON texts.image = original.id
        LEFT JOIN regions ON regions.id = texts.region
        WHERE outcomes.stage = 'ocr' AND texts.skipped IS NULL""",
    """CREATE VIEW photos AS
        SELECT images.image_id, images.raw_path, images.width, images.height, images.digest,
            original.image_id AS copied_from,
            (SELECT count(*) FROM regions
                WHERE regions.image = coalesce(detect.original, images.id)) AS objects,
            (SELECT group_concat(text, char(10)) FROM (SELECT text FROM texts
                WHERE texts.image = coalesce(ocr.original, images.id)
                AND skipped IS NULL ORDER BY id)) AS text,
            (SELECT skipped FROM texts
                WHERE texts.image = coalesce(ocr.original, images.id)
                AND skipped IS NOT NULL) AS not_read_because
        FROM images
        LEFT JOIN outcomes AS detect ON detect.image = images.id AND detect.stage = 'detect'
        LEFT JOIN outcomes AS ocr ON ocr.image = images.id AND ocr.stage = 'ocr'
        LEFT JOIN images AS original ON original.id = images.copied_from""",
)
"""One stage of a photo may be a copy where another is not, so views ask the outcomes: `original`
is the photo that has the lines, NULL where the photo itself has them. `images.copied_from` is the
original of any stage; all originals of a photo have the same content.
"""
