-- Whose date was set anew while somebody looked at it is told by a count, and not by the date: two wakes of one
-- millisecond are two.
ALTER TABLE document ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dossier ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
ALTER TABLE aggregate ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
