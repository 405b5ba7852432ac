-- The trades: what documents need to know of one another, and what desks remember.

-- What the fellows of a document need to know of it (message_specs/trade/papers.py); written once, with the document.
CREATE TABLE paper (
    number  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    dossier INTEGER,
    body    BLOB NOT NULL,
    PRIMARY KEY (number, ordinal)
) WITHOUT ROWID, STRICT;

-- By what documents find one another: an order key, a payment, a waybill, as 64 bits of a digest.
-- `came` is the filing with which it came, so that a reader can tell what is newer than what he saw.
CREATE TABLE mark (
    mark    INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    came    INTEGER NOT NULL,
    PRIMARY KEY (mark, number, ordinal)
) WITHOUT ROWID, STRICT;

-- Filings so far; one row.
CREATE TABLE filing (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    last INTEGER NOT NULL
) STRICT;
INSERT INTO filing VALUES (1, 0);

-- Who is to be looked at again when a paper with this mark comes: a filed document, or with ordinal 0 a dossier.
CREATE TABLE awaited (
    mark    INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (mark, number, ordinal)
) WITHOUT ROWID, STRICT;

-- One trade, by the mark of its order.
CREATE TABLE dossier (
    mark      INTEGER PRIMARY KEY,
    platform  TEXT NOT NULL,
    order_no  TEXT NOT NULL,
    mode      TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    phase     TEXT NOT NULL CHECK (phase IN ('open', 'declared', 'released', 'closed', 'void')),
    number    INTEGER,
    ordinal   INTEGER,
    due_at    TEXT,
    why       TEXT
) STRICT;
CREATE INDEX dossier_due ON dossier (due_at) WHERE due_at IS NOT NULL;

-- What a desk keeps: the use of a yearly limit, the verdict about a name and number.
CREATE TABLE record (
    key      TEXT PRIMARY KEY,
    value    TEXT NOT NULL,
    revision INTEGER NOT NULL
) WITHOUT ROWID, STRICT;

-- What a partner is told of a trade besides receipts; a row first, a file in his out/ afterwards.
CREATE TABLE notice (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    partner TEXT NOT NULL,
    name    TEXT NOT NULL,
    body    BLOB NOT NULL,
    let_go  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (partner, name)
) STRICT;
CREATE INDEX notice_open ON notice (id) WHERE let_go = 0;

CREATE TRIGGER paper_stays BEFORE UPDATE ON paper
BEGIN SELECT RAISE(ABORT, 'a paper is never changed'); END;

CREATE TRIGGER paper_remains BEFORE DELETE ON paper
BEGIN SELECT RAISE(ABORT, 'a paper is never deleted'); END;
