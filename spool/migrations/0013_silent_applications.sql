-- Cancels and returns of which customs has said nothing yet: their trades are looked at once, and then in time.
UPDATE dossier SET due_at = opened_at, turn = turn + 1
 WHERE due_at IS NULL AND mark IN (
       SELECT p.dossier FROM paper p JOIN document d ON d.number = p.number AND d.ordinal = p.ordinal
        WHERE p.kind IN ('cancel', 'refund') AND d.state IN ('ready', 'sent'));
