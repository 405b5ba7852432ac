-- Questions to services outside.

-- One question; its answer becomes the record under the same key.  What is asked stands nowhere but in the evidence
-- of the document named here, below `path` of its head.
CREATE TABLE question (
    subject     TEXT PRIMARY KEY,
    number      INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    path        TEXT NOT NULL,
    attempts    INTEGER NOT NULL,
    not_before  TEXT NOT NULL,
    asked_at    TEXT,
    answered_at TEXT,
    trouble     TEXT
) WITHOUT ROWID, STRICT;
CREATE INDEX question_due ON question (not_before) WHERE answered_at IS NULL;

-- Who waits for the answer.
CREATE TABLE question_waits (
    subject TEXT NOT NULL,
    number  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (subject, number, ordinal)
) WITHOUT ROWID, STRICT;
