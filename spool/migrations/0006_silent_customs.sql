-- Trades of which customs has said nothing for too long, oldest first; those that are declared already are looked at.
CREATE INDEX dossier_silent ON dossier (opened_at, mark) WHERE phase = 'declared' AND why IS NOT NULL;
UPDATE dossier SET due_at = opened_at WHERE phase = 'declared' AND due_at IS NULL;
