-- The trades that wait, oldest first, found without looking at those that went on.
CREATE INDEX dossier_open ON dossier (opened_at, mark) WHERE phase = 'open';
