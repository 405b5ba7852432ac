-- Trades written in fewer pages.

-- A paper is longer than what a table without row ids keeps in its own page, so each order and each inventory had
-- a page more to itself, which was written with every filing.
CREATE TABLE paper_again (
    number  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    dossier INTEGER,
    body    BLOB NOT NULL,
    PRIMARY KEY (number, ordinal)
) STRICT;
INSERT INTO paper_again SELECT number, ordinal, kind, dossier, body FROM paper ORDER BY number, ordinal;
DROP TABLE paper;
ALTER TABLE paper_again RENAME TO paper;

CREATE TRIGGER paper_stays BEFORE UPDATE ON paper
WHEN OLD.dossier IS NOT NULL OR NEW.dossier IS NULL OR NEW.number <> OLD.number OR NEW.ordinal <> OLD.ordinal
  OR NEW.kind <> OLD.kind OR NEW.body <> OLD.body
BEGIN SELECT RAISE(ABORT, 'a paper is never changed'); END;

CREATE TRIGGER paper_remains BEFORE DELETE ON paper
BEGIN SELECT RAISE(ABORT, 'a paper is never deleted'); END;

-- Who waits for a mark stands beside those who have it: under its neighbour, the mark with its last bit turned, with an
-- ordinal below nought (-1 - ordinal).  What comes is asked for both, and in a large ledger each place that is looked
-- at is a page to read.
INSERT INTO mark (mark, number, ordinal, came)
SELECT (mark | 1) - (mark & 1), number, -1 - ordinal, 0 FROM awaited ORDER BY 1;
DROP TABLE awaited;
-- For whoever looks into a ledger: no statement of ours asks it.
CREATE VIEW awaited AS
SELECT (mark | 1) - (mark & 1) AS mark, number, -1 - ordinal AS ordinal FROM mark WHERE ordinal < 0;
