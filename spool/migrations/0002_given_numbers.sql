-- One number that an authority gave a document; what it says later may name this number alone.
CREATE TABLE given_number (
    value     TEXT NOT NULL,
    kind      TEXT NOT NULL,
    authority TEXT NOT NULL,
    number    INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    PRIMARY KEY (value, kind, authority, number, ordinal)
) WITHOUT ROWID, STRICT;

-- What a receipt said by such a number, for whoever is given it later: a document that comes first, or a further part.
-- One that nobody was given yet stands in `document` under number, ordinal meanwhile.
CREATE TABLE numbered_receipt (
    value     TEXT NOT NULL,
    kind      TEXT NOT NULL,
    authority TEXT NOT NULL,
    number    INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    spec      TEXT NOT NULL,
    status    TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    said_at   TEXT NOT NULL,
    info      TEXT NOT NULL,
    PRIMARY KEY (value, kind, authority, number, ordinal)
) WITHOUT ROWID, STRICT;

-- The answer that brought the number for which a receipt had waited; null where it met its document at once.
ALTER TABLE receipt ADD COLUMN brought_by INTEGER;
CREATE INDEX receipt_brought ON receipt (brought_by) WHERE brought_by IS NOT NULL;
