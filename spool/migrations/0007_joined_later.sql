-- A cancel, return or tally that names a list before customs gave its number learns later of which trade it is.

DROP TRIGGER paper_stays;
CREATE TRIGGER paper_stays BEFORE UPDATE ON paper
WHEN OLD.dossier IS NOT NULL OR NEW.dossier IS NULL OR NEW.number <> OLD.number OR NEW.ordinal <> OLD.ordinal
  OR NEW.kind <> OLD.kind OR NEW.body <> OLD.body
BEGIN SELECT RAISE(ABORT, 'a paper is never changed'); END;
