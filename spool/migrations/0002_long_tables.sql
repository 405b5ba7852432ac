-- A table that is too long for one transaction is written part by part; its interchange has -1 for `documents`, for its
-- parts tell how many there are.

-- One part of a table that is too long for one transaction: its documents up to an ordinal, and what was found on the
-- way.  The first part comes with the interchange, each later one follows the one before, and the last one ends it.
-- ending: 0 more follow, 1 the table is whole, 2 it is cut short and may be sent again.
CREATE TABLE part (
    number    INTEGER NOT NULL REFERENCES interchange (number),
    part      INTEGER NOT NULL,
    documents INTEGER NOT NULL,
    told      INTEGER NOT NULL,
    law       BLOB NOT NULL,
    ending    INTEGER NOT NULL CHECK (ending IN (0, 1, 2)),
    findings  TEXT,
    PRIMARY KEY (number, part)
) WITHOUT ROWID, STRICT;

CREATE TRIGGER part_follows BEFORE INSERT ON part
WHEN NEW.part <> 1 + coalesce((SELECT max(part) FROM part WHERE number = NEW.number), 0)
  OR NEW.documents < coalesce((SELECT max(documents) FROM part WHERE number = NEW.number), 0)
  OR EXISTS (SELECT 1 FROM part WHERE number = NEW.number AND ending > 0)
  OR NOT EXISTS (SELECT 1 FROM interchange WHERE number = NEW.number AND documents = -1)
BEGIN SELECT RAISE(ABORT, 'this part does not follow the one before'); END;

CREATE TRIGGER part_stays BEFORE UPDATE ON part
BEGIN SELECT RAISE(ABORT, 'a part is never changed'); END;

CREATE TRIGGER part_remains BEFORE DELETE ON part
BEGIN SELECT RAISE(ABORT, 'a part is never deleted'); END;

CREATE TRIGGER document_comes_with_its_part BEFORE INSERT ON document
WHEN (SELECT documents = -1 FROM interchange WHERE number = NEW.number)
 AND NOT EXISTS (SELECT 1 FROM (SELECT documents, lag(documents, 1, 0) OVER (ORDER BY part) AS before
                                  FROM part WHERE number = NEW.number ORDER BY part DESC LIMIT 1)
                  WHERE NEW.ordinal > before AND NEW.ordinal <= documents)
BEGIN SELECT RAISE(ABORT, 'a document of a table comes with its part'); END;
