-- The marks by which documents meet lie beside their neighbours (message_specs/trade/marking.py), so that a file of
-- numbers given one after the other, and all that names one order, reads and writes few pages.

-- What each mark was and what it is now, as far as papers tell it; every other mark stays.  An order's also names its
-- dossier, what has used it in foreign exchange, and its purchase in the year of its buyer.
CREATE TEMP TABLE anew (old INTEGER PRIMARY KEY, new INTEGER NOT NULL);
INSERT OR IGNORE INTO anew
SELECT json_extract(pair.value, '$[0]'), json_extract(pair.value, '$[1]')
  FROM paper p JOIN document d ON d.number = p.number AND d.ordinal = p.ordinal
  JOIN json_each(marks_anew(d.spec, p.body)) AS pair;

DROP VIEW awaited;
-- `filing`, which was `came`: a daemon of an earlier Kouan that still runs must not write its marks among these.
CREATE TABLE mark_again (
    mark    INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    filing  INTEGER NOT NULL,
    PRIMARY KEY (mark, number, ordinal)
) WITHOUT ROWID, STRICT;
INSERT INTO mark_again
SELECT coalesce(a.new, m.mark) AS mark, m.number, m.ordinal, m.came
  FROM mark m LEFT JOIN anew a ON a.old = m.mark
 WHERE m.ordinal >= 0
 UNION ALL
-- Who waits stands under the neighbour of the mark; one with the ordinal -1 is a dossier, named by its order's mark.
SELECT coalesce((a.new | 1) - (a.new & 1), m.mark), coalesce(o.new, m.number), m.ordinal, m.came
  FROM mark m LEFT JOIN anew a ON a.old = (m.mark | 1) - (m.mark & 1)
              LEFT JOIN anew o ON o.old = m.number AND m.ordinal = -1
 WHERE m.ordinal < 0
 ORDER BY 1, 2, 3;
DROP TABLE mark;
ALTER TABLE mark_again RENAME TO mark;
-- For whoever looks into a ledger: no statement of ours asks it.
CREATE VIEW awaited AS
SELECT (mark | 1) - (mark & 1) AS mark, number, -1 - ordinal AS ordinal FROM mark WHERE ordinal < 0;

CREATE TABLE dossier_again (
    mark      INTEGER PRIMARY KEY,
    platform  TEXT NOT NULL,
    order_no  TEXT NOT NULL,
    mode      TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    phase     TEXT NOT NULL CHECK (phase IN ('open', 'declared', 'released', 'closed', 'void')),
    number    INTEGER,
    ordinal   INTEGER,
    due_at    TEXT,
    why       TEXT,
    turn      INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO dossier_again
SELECT coalesce(a.new, o.mark) AS mark, o.platform, o.order_no, o.mode, o.opened_at, o.phase, o.number, o.ordinal,
       o.due_at, o.why, o.turn
  FROM dossier o LEFT JOIN anew a ON a.old = o.mark
 ORDER BY 1;
DROP TABLE dossier;
ALTER TABLE dossier_again RENAME TO dossier;
CREATE INDEX dossier_due ON dossier (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX dossier_open ON dossier (opened_at, mark) WHERE phase = 'open';
CREATE INDEX dossier_silent ON dossier (opened_at, mark) WHERE phase = 'declared' AND why IS NOT NULL;

DROP TRIGGER paper_stays;
UPDATE paper SET dossier = a.new FROM anew a WHERE a.old = paper.dossier;
CREATE TRIGGER paper_stays BEFORE UPDATE ON paper
WHEN OLD.dossier IS NOT NULL OR NEW.dossier IS NULL OR NEW.number <> OLD.number OR NEW.ordinal <> OLD.ordinal
  OR NEW.kind <> OLD.kind OR NEW.body <> OLD.body
BEGIN SELECT RAISE(ABORT, 'a paper is never changed'); END;

-- Which record of foreign exchange sells or buys for an order.
CREATE TEMP TABLE moved AS
SELECT r.key AS old, rtrim(r.key, '-0123456789') || a.new AS new
  FROM record r JOIN anew a ON a.old = CAST(substr(r.key, length(rtrim(r.key, '-0123456789')) + 1) AS INTEGER)
 WHERE r.key GLOB 'fxused|*';
UPDATE record SET key = m.new FROM moved m WHERE m.old = record.key;
DROP TABLE moved;

-- What a buyer has used of a year, by order: {"used": {"MARK": "120.00", "MARK/RETURN": "-20.00"}}.
CREATE TEMP TABLE moved AS
SELECT u.record, json_object('used', json_group_object(coalesce(a.new || u.rest, u.name), u.amount)) AS value
  FROM (SELECT r.key AS record, e.key AS name, e.value AS amount,
               substr(e.key, 1, instr(e.key || '/', '/') - 1) AS mark, substr(e.key, instr(e.key || '/', '/')) AS rest
          FROM record r, json_each(CASE WHEN json_valid(r.value) THEN r.value ELSE '{}' END, '$.used') e
         WHERE r.key GLOB 'quota|*') u
  LEFT JOIN anew a ON a.old = CAST(u.mark AS INTEGER) AND CAST(a.old AS TEXT) = u.mark
 GROUP BY u.record;
UPDATE record SET value = m.value FROM moved m WHERE m.record = record.key;
DROP TABLE moved;

DROP TABLE anew;
