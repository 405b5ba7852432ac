-- Every statement of the ledger, named.  In the subset that SQLite 3.35 and PostgreSQL 15 share where it can be,
-- json_each excepted.

-- name: add_interchange
INSERT INTO interchange (number, sender, door, file, size, sha256, fingerprint, received_at, evidence, spec, revision,
                         documents, duplicate_of, replay_of, once, findings)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: add_part
INSERT INTO part (number, part, documents, told, law, ending, findings) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: last_part
SELECT * FROM part WHERE number = ? ORDER BY part DESC LIMIT 1;

-- name: part
SELECT * FROM part WHERE number = ? AND part = ?;

-- name: parts_within
SELECT * FROM part p WHERE p.number = ?1
   AND p.documents > ?2 AND p.part <= (SELECT coalesce(min(part), 1000000) FROM part WHERE number = ?1 AND documents >= ?3)
 ORDER BY p.part;

-- name: unfinished_tables
SELECT i.number, i.sender, i.door, i.file, i.evidence FROM interchange i
 WHERE i.number BETWEEN ? AND ? AND i.documents = -1
   AND NOT EXISTS (SELECT 1 FROM part p WHERE p.number = i.number AND p.ending > 0)
 ORDER BY i.number;

-- name: open_tables
SELECT i.number, i.sender, i.door, i.file, i.evidence FROM batch b JOIN interchange i ON i.number = b.first
 WHERE b.let_go_at IS NULL AND i.documents = -1
   AND NOT EXISTS (SELECT 1 FROM part p WHERE p.number = i.number AND p.ending > 0)
 ORDER BY i.number;

-- name: documents_within
SELECT * FROM document WHERE number = ? AND ordinal > ? AND ordinal <= ? ORDER BY ordinal;

-- name: add_document
INSERT INTO document (number, ordinal, spec, key, version, partner, state, app_type, digest, reply_key, authority,
                      message, due_at, why)
VALUES (?, ?, ?, ?, ?, ?, 'received', ?, ?, ?, ?, ?, ?, ?);

-- name: add_stamp
INSERT INTO stamp (number, ordinal, sequence, at, desk, from_state, to_state, by, reason, findings)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: add_next_stamp
INSERT INTO stamp (number, ordinal, sequence, at, desk, from_state, to_state, by, reason, findings)
VALUES (?1, ?2, coalesce((SELECT max(sequence) FROM stamp WHERE number = ?1 AND ordinal = ?2), 0) + 1,
        ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: add_message
INSERT INTO message (number, guid, spec, partner, authority, documents, suite, key_name, sealed_at, evidence, size, sha256)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: add_outbox
INSERT INTO outbox (message, destination, partner, state, attempts, not_before) VALUES (?, ?, ?, 'waiting', 0, ?);

-- name: add_receipt
INSERT INTO receipt (partner, answer, unit, number, ordinal, spec, key, status, outcome, said_at, info, file,
                     brought_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: give_numbers
INSERT INTO given_number (value, kind, authority, number, ordinal)
SELECT k.value ->> 0, k.value ->> 1, k.value ->> 2, k.value ->> 3, k.value ->> 4 FROM json_each(?) AS k
 WHERE true ON CONFLICT DO NOTHING RETURNING value, kind, authority, number, ordinal;

-- name: numbers_waited_for
SELECT DISTINCT e.value, e.kind FROM json_each(?) AS k CROSS JOIN numbered_receipt e
    ON e.value = k.value ->> 0 AND e.kind = k.value ->> 1 AND e.authority = k.value ->> 2;

-- name: numbered
SELECT d.*, m.sealed_at FROM given_number g
  JOIN document d ON d.number = g.number AND d.ordinal = g.ordinal JOIN message m ON m.number = d.message
 WHERE g.value = ?1 AND g.kind = ?2 AND g.authority = ?3 AND d.spec = ?4
   AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = d.message AND o.trouble LIKE 'voided %')
 ORDER BY m.sealed_at, d.version;

-- name: documents_by_given_number
SELECT d.* FROM document d
 WHERE (d.number, d.ordinal) IN (SELECT g.number, g.ordinal FROM given_number g WHERE g.value = ?)
 ORDER BY d.spec, d.version;

-- name: add_numbered_receipt
INSERT INTO numbered_receipt (value, kind, authority, number, ordinal, spec, status, outcome, said_at, info)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: numbered_receipts
SELECT e.*, d.state FROM numbered_receipt e LEFT JOIN document d ON d.number = e.number AND d.ordinal = e.ordinal
 WHERE e.value = ? AND e.kind = ? AND e.authority = ? AND coalesce(d.state, '') <> 'refused'
 ORDER BY e.number, e.ordinal;

-- name: add_batch
INSERT INTO batch (first, last, low_water) VALUES (?, ?, ?);

-- name: batch_let_go
UPDATE batch SET let_go_at = ? WHERE first = ?;

-- name: batch
SELECT * FROM batch WHERE first = ?;

-- name: open_batches
SELECT first, last FROM batch WHERE let_go_at IS NULL AND first > ? AND first < ? ORDER BY first LIMIT ?;

-- name: low_water
SELECT max(low_water) AS low_water FROM (SELECT low_water FROM batch ORDER BY first DESC LIMIT 64) AS recent;

-- name: last_number
SELECT max(number) AS number FROM (SELECT max(number) AS number FROM interchange
                                   UNION ALL SELECT max(last) FROM batch) AS given;

-- name: last_message
SELECT max(number) AS number FROM message;

-- name: same_bytes
SELECT k.key AS position, i.number, i.sha256, i.sender,
       NOT EXISTS (SELECT 1 FROM part p WHERE p.number = i.number AND p.ending = 2) AND (i.spec = 'DxpRep'
       OR EXISTS (SELECT 1 FROM receipt r WHERE r.answer = i.number AND r.number <> i.number)
       OR EXISTS (SELECT 1 FROM document d WHERE d.number = i.number
                     AND NOT (d.state = 'refused' AND EXISTS (SELECT 1 FROM refused_for_good f
                                                               WHERE f.number = d.number AND f.ordinal = d.ordinal))
                     AND NOT EXISTS (SELECT 1 FROM document l WHERE l.key = d.key AND l.spec = d.spec
                                        AND l.version > d.version AND l.app_type = '3' AND l.state = 'closed'))) AS alive
  FROM json_each(?) AS k JOIN interchange i ON i.fingerprint = k.value
 WHERE i.duplicate_of IS NULL AND i.replay_of IS NULL
 ORDER BY i.number;

-- name: versions_by_key
SELECT d.spec, d.key, d.version, d.number, d.ordinal, d.partner, d.state, d.digest, d.app_type, d.message,
       d.state = 'refused' AND NOT EXISTS (SELECT 1 FROM refused_for_good f
                                            WHERE f.number = d.number AND f.ordinal = d.ordinal) AS declared,
       coalesce(d.status, '') <> '700' AND EXISTS (
           SELECT 1 FROM paper p JOIN dossier t ON t.mark = p.dossier
            WHERE p.number = d.number AND p.ordinal = d.ordinal AND p.kind = 'inventory' AND t.phase = 'void') AS cancelled
  FROM json_each(?) AS k JOIN document d ON d.key = k.value
 WHERE d.version IS NOT NULL
 ORDER BY d.version;

-- name: threads
SELECT d.spec, d.reply_key, d.key, d.partner
  FROM json_each(?) AS k JOIN document d ON d.reply_key = k.value
 WHERE d.version IS NOT NULL AND d.state <> 'refused'
   AND NOT EXISTS (SELECT 1 FROM document l WHERE l.key = d.key AND l.spec = d.spec
                      AND l.version >= d.version AND l.app_type = '3' AND l.state = 'closed');

-- name: once_used
SELECT number, sha256 FROM interchange WHERE sender = ? AND once = ?;

-- name: interchange
SELECT * FROM interchange WHERE number = ?;

-- name: interchanges_between
SELECT * FROM interchange WHERE number BETWEEN ? AND ? ORDER BY number;

-- name: documents_of
SELECT * FROM document WHERE number = ? ORDER BY ordinal;

-- name: document
SELECT * FROM document WHERE number = ? AND ordinal = ?;

-- name: stamps_of
SELECT * FROM stamp WHERE number = ? AND ordinal = ? ORDER BY sequence;

-- name: receipts_of
SELECT * FROM receipt WHERE number = ? AND ordinal = ? ORDER BY id;

-- name: receipts_in
SELECT * FROM receipt WHERE answer = ? ORDER BY unit;

-- name: receipts_at_once
SELECT * FROM receipt WHERE answer = ? AND brought_by IS NULL ORDER BY unit;

-- name: receipts_brought
SELECT r.*, i.evidence FROM receipt r JOIN interchange i ON i.number = r.answer WHERE r.brought_by = ? ORDER BY r.id;

-- name: receipts_after
SELECT * FROM receipt WHERE partner = ? AND id > ? ORDER BY id LIMIT ?;

-- name: receipt_known
SELECT r.id FROM document d JOIN receipt r ON r.number = d.number AND r.ordinal = d.ordinal
 WHERE d.key = ? AND d.spec = ? AND d.version IS NOT NULL AND r.spec = ? AND r.status = ? AND r.said_at = ? AND r.info = ? LIMIT 1;

-- name: answered_by_key
SELECT d.*, m.sealed_at FROM document d JOIN message m ON m.number = d.message
 WHERE d.key = ?1 AND d.spec = ?2 AND d.version IS NOT NULL
   AND m.authority = ?3
   AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = d.message AND o.trouble LIKE 'voided %');

-- name: answered_by_reply_key
SELECT d.*, m.sealed_at FROM document d JOIN message m ON m.number = d.message
 WHERE d.reply_key = ?1 AND d.spec = ?2 AND d.version IS NOT NULL
   AND m.authority = ?3
   AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = d.message AND o.trouble LIKE 'voided %');

-- name: all_answered_by_key
SELECT d.*, m.sealed_at, k.value ->> 0 AS unit, EXISTS (
           SELECT 1 FROM document v JOIN receipt r ON r.number = v.number AND r.ordinal = v.ordinal
            WHERE v.key = d.key AND v.spec = d.spec AND v.version IS NOT NULL AND r.spec = ?4
              AND r.status = k.value ->> 2 AND r.said_at = k.value ->> 3 AND r.info = k.value ->> 4) AS known
  FROM json_each(?1) AS k CROSS JOIN document d ON d.key = k.value ->> 1 AND d.spec = ?2 AND d.version IS NOT NULL
  JOIN message m ON m.number = d.message AND m.authority = ?3
 WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = d.message AND o.trouble LIKE 'voided %');

-- name: all_answered_by_reply_key
SELECT d.*, m.sealed_at, k.value ->> 0 AS unit, EXISTS (
           SELECT 1 FROM document v JOIN receipt r ON r.number = v.number AND r.ordinal = v.ordinal
            WHERE v.key = d.key AND v.spec = d.spec AND v.version IS NOT NULL AND r.spec = ?4
              AND r.status = k.value ->> 2 AND r.said_at = k.value ->> 3 AND r.info = k.value ->> 4) AS known
  FROM json_each(?1) AS k CROSS JOIN document d ON d.reply_key = k.value ->> 1 AND d.spec = ?2 AND d.version IS NOT NULL
  JOIN message m ON m.number = d.message AND m.authority = ?3
 WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = d.message AND o.trouble LIKE 'voided %');

-- name: message_by_guid
SELECT * FROM message WHERE guid = ?;

-- name: message
SELECT * FROM message WHERE number = ?;

-- name: outbox_of
SELECT * FROM outbox WHERE message = ?;

-- name: stamp_sent
INSERT INTO stamp (number, ordinal, sequence, at, desk, from_state, to_state, by, reason, findings)
SELECT d.number, d.ordinal, (SELECT max(s.sequence) + 1 FROM stamp s WHERE s.number = d.number AND s.ordinal = d.ordinal),
       ?3, 'dispatch', 'ready', 'sent', 'kouan', ?4, NULL
  FROM document d WHERE d.number = ?1 AND d.ordinal = ?2 AND d.state = 'ready';

-- name: stamp_given
INSERT INTO stamp (number, ordinal, sequence, at, desk, from_state, to_state, by, reason, findings)
SELECT d.number, d.ordinal, (SELECT max(s.sequence) + 1 FROM stamp s WHERE s.number = d.number AND s.ordinal = d.ordinal),
       ?3, 'dispatch', 'ready', 'ready', 'kouan', ?4, NULL
  FROM document d WHERE d.number = ?1 AND d.ordinal = ?2 AND d.state = 'ready';

-- name: set_status
UPDATE document SET status = ?, status_at = ? WHERE number = ? AND ordinal = ? AND coalesce(status_at, '') <= ?;

-- name: set_waiting
UPDATE document SET due_at = ?, why = ?, turn = turn + 1 WHERE number = ? AND ordinal = ?;

-- name: set_sealed
UPDATE document SET message = ?, due_at = NULL, why = NULL, turn = turn + 1 WHERE number = ? AND ordinal = ?;

-- name: set_reply_key
UPDATE document SET reply_key = ? WHERE number = ? AND ordinal = ?;

-- name: due_documents
SELECT number, ordinal, spec, key, partner, state, due_at, turn FROM document
 WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, number, ordinal LIMIT ?;

-- name: outbox_partners
WITH RECURSIVE turn (partner) AS (
    SELECT min(partner) FROM outbox WHERE state = 'waiting' AND destination = ?1
    UNION ALL
    SELECT (SELECT min(partner) FROM outbox WHERE state = 'waiting' AND destination = ?1 AND partner > turn.partner)
      FROM turn WHERE turn.partner IS NOT NULL
)
SELECT partner FROM turn WHERE partner IS NOT NULL;

-- name: outbox_due
SELECT o.message, o.attempts, m.spec, m.guid, m.evidence, m.documents, o.partner, o.given_at
  FROM outbox o JOIN message m ON m.number = o.message
 WHERE o.state = 'waiting' AND o.destination = ? AND o.partner = ? AND o.not_before <= ? AND o.given_at IS NULL
 ORDER BY o.not_before, o.message LIMIT ?;

-- name: outbox_due_in_order
SELECT o.message, o.attempts, m.spec, m.guid, m.evidence, m.documents, o.partner, o.given_at
  FROM outbox o JOIN message m ON m.number = o.message
 WHERE o.state <> 'gone' AND o.state = 'waiting' AND o.destination = ? AND o.partner = ? AND o.not_before <= ?
   AND o.given_at IS NULL AND o.message > ?
 ORDER BY o.message LIMIT ?;

-- name: outbox_first
SELECT o.message, o.attempts, m.spec, m.guid, m.evidence, m.documents, o.partner, o.given_at, o.state, o.not_before
  FROM outbox o JOIN message m ON m.number = o.message
 WHERE o.state <> 'gone' AND o.destination = ? AND o.partner = ? AND coalesce(o.trouble, '') NOT LIKE 'voided %'
 ORDER BY o.message LIMIT 1;

-- name: outbox_given
SELECT o.message, o.attempts, m.spec, m.guid, m.evidence, m.documents, o.partner, o.given_at
  FROM outbox o JOIN message m ON m.number = o.message
 WHERE o.state = 'waiting' AND o.destination = ? AND o.given_at IS NOT NULL AND o.not_before <= ?
 ORDER BY o.not_before, o.message LIMIT ?;

-- name: outbox_given_count
SELECT count(*) AS n FROM outbox WHERE state = 'waiting' AND destination = ? AND given_at IS NOT NULL;

-- name: outbox_probe
SELECT o.message, o.attempts, m.spec, m.guid, m.evidence, m.documents, o.partner, o.given_at
  FROM outbox o JOIN message m ON m.number = o.message
 WHERE o.state = 'waiting' AND o.destination = ? AND o.not_before <= ? AND o.given_at IS NULL
 ORDER BY o.attempts, o.message LIMIT ?;

-- name: earlier_of_key
SELECT o.message FROM document d JOIN document e ON e.key = d.key AND e.partner = d.partner AND e.message < d.message
  JOIN outbox o ON o.message = e.message AND o.destination = ?
 WHERE d.number = ? AND d.ordinal = ? AND o.state <> 'gone' AND coalesce(o.trouble, '') NOT LIKE 'voided %' LIMIT 1;

-- name: outbox_give
UPDATE outbox SET given_at = coalesce(given_at, ?), not_before = ?, trouble = ?
 WHERE message = ? AND destination = ? AND state = 'waiting';

-- name: outbox_gone
UPDATE outbox SET state = 'gone', attempts = attempts + 1, tried_at = ?, answer = ?, trouble = NULL
 WHERE message = ? AND destination = ? AND state <> 'gone';

-- name: outbox_postpone
UPDATE outbox SET attempts = attempts + 1, tried_at = ?, not_before = ?, trouble = ?
 WHERE message = ? AND destination = ? AND state = 'waiting';

-- name: outbox_wait
UPDATE outbox SET not_before = ?, trouble = ? WHERE message = ? AND destination = ? AND state = 'waiting';

-- name: outbox_tried_in_future
UPDATE outbox SET not_before = ?1
 WHERE state <> 'gone' AND state = 'waiting' AND destination = ?2 AND tried_at > ?1 AND not_before > ?1;

-- name: outbox_hold
UPDATE outbox SET state = 'held', trouble = ?, tried_at = ?, given_at = NULL
 WHERE message = ? AND destination = ? AND state = 'waiting';

-- name: turnstile
SELECT * FROM turnstile WHERE authority = ?;

-- name: add_turnstile
INSERT INTO turnstile (authority) VALUES (?) ON CONFLICT DO NOTHING;

-- name: set_breaker
UPDATE turnstile SET breaker = ?, failures = ?, wait = ?, opened_at = ?, retry_at = ?, trouble = ?, failing = ?
 WHERE authority = ?;

-- name: set_spent
UPDATE turnstile SET spent = ? WHERE authority = ?;

-- name: set_pause
UPDATE turnstile SET paused_at = ?, paused_until = ?, paused_by = ?, paused_why = ? WHERE authority = ?;

-- name: ask_probe
UPDATE turnstile SET probe_asked_at = ?, probed_at = NULL, probe_said = NULL WHERE authority = ?;

-- name: set_probed
UPDATE turnstile SET probed_at = ?, probe_said = ? WHERE authority = ? AND probe_asked_at IS NOT NULL AND probed_at IS NULL;

-- name: add_turnstile_stamp
INSERT INTO turnstile_stamp (authority, sequence, at, what, by, reason)
VALUES (?1, (SELECT coalesce(max(sequence), 0) + 1 FROM turnstile_stamp WHERE authority = ?1), ?2, ?3, ?4, ?5);

-- name: turnstile_stamps
SELECT at, what, by, reason FROM turnstile_stamp WHERE authority = ? ORDER BY sequence DESC LIMIT ?;

-- name: outbox_sums
SELECT state, count(*) AS messages, min(not_before) AS next_try, sum(given_at IS NOT NULL) AS given
  FROM outbox WHERE destination = ? AND state <> 'gone' AND coalesce(trouble, '') NOT LIKE 'voided %'
 GROUP BY state;

-- name: held_by_cause
SELECT w.*, i.received_at AS oldest
  FROM (SELECT authority, partner, why, count(*) AS documents, count(DISTINCT message) AS messages, min(number) AS first
          FROM document WHERE due_at = ? AND state = 'held' GROUP BY authority, partner, why) w
  JOIN interchange i ON i.number = w.first
 ORDER BY w.first;

-- name: documents_by_key
SELECT * FROM document WHERE key = ? ORDER BY spec, version;

-- name: key_heads
WITH RECURSIVE head (prefix) AS (
    SELECT substr(min(key), 1, instr(min(key), '|')) FROM document WHERE key LIKE '%|%' AND version IS NOT NULL
    UNION ALL
    SELECT (SELECT substr(min(key), 1, instr(min(key), '|')) FROM document
             WHERE version IS NOT NULL AND key >= substr(head.prefix, 1, length(head.prefix) - 1) || '}')
      FROM head WHERE head.prefix IS NOT NULL AND head.prefix <> ''
)
SELECT prefix FROM head WHERE prefix IS NOT NULL AND prefix <> '';

-- name: documents_by_reply_start
SELECT * FROM document WHERE reply_key >= ?1 || '|' AND reply_key < ?1 || '}' AND spec IN ('CEB621', 'CEB623', 'CEB625')
 LIMIT 100;

-- name: answered_by_key_start
SELECT d.*, m.sealed_at FROM document d JOIN message m ON m.number = d.message
 WHERE d.reply_key >= ?1 || '|' AND d.reply_key < ?1 || '}' AND d.spec = ?2 AND d.version IS NOT NULL
   AND m.authority = ?3
   AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = d.message AND o.trouble LIKE 'voided %');

-- name: last_number_between
SELECT max(number) AS number FROM (
    SELECT number FROM interchange UNION ALL SELECT last AS number FROM batch) AS given
 WHERE number >= ? AND number % 1000000 BETWEEN ? AND ?;

-- name: last_message_between
SELECT max(number) AS number FROM message WHERE number >= ? AND number % 1000000 BETWEEN ? AND ?;

-- name: selected_documents
SELECT d.* FROM document d JOIN interchange i ON i.number = d.number
 WHERE (d.number, d.ordinal) > (?1, ?2) AND d.number <= ?3
   AND (?4 IS NULL OR d.partner = ?4)
   AND (?5 IS NULL OR d.spec = ?5)
   AND (?6 IS NULL OR d.state IN (SELECT value FROM json_each(?6)))
   AND (?7 IS NULL OR i.received_at >= ?7)
   AND (?8 IS NULL OR i.received_at < ?8)
 ORDER BY d.number, d.ordinal LIMIT ?9;

-- name: selected_interchanges
SELECT i.* FROM interchange i
 WHERE i.number > ?1 AND i.number <= ?2
   AND (?3 IS NULL OR i.sender = ?3)
   AND (?4 IS NULL OR i.spec = ?4)
   AND (?5 IS NULL OR EXISTS (SELECT 1 FROM document d WHERE d.number = i.number
                                 AND d.state IN (SELECT value FROM json_each(?5)))
        OR (i.documents = 0 AND i.findings IS NOT NULL AND NOT EXISTS (SELECT 1 FROM document d WHERE d.number = i.number)
            AND EXISTS (SELECT 1 FROM json_each(?5) WHERE value = 'refused')))
   AND (?6 IS NULL OR i.received_at >= ?6)
   AND (?7 IS NULL OR i.received_at < ?7)
   AND (?8 = 1 OR (i.duplicate_of IS NULL AND i.replay_of IS NULL))
 ORDER BY i.number LIMIT ?9;

-- name: held_from
SELECT from_state FROM stamp WHERE number = ? AND ordinal = ? AND to_state = 'held' AND from_state <> 'held'
 ORDER BY sequence DESC LIMIT 1;

-- name: receipt_that_ends
SELECT * FROM receipt WHERE number = ? AND ordinal = ? AND outcome IN ('final', 'refused') ORDER BY id LIMIT 1;

-- name: outbox_stop
UPDATE outbox SET state = 'held', trouble = ?, not_before = ? WHERE message = ? AND state <> 'gone';

-- name: outbox_go_on
UPDATE outbox SET state = 'waiting', trouble = NULL, not_before = ? WHERE message = ? AND state = 'held';

-- name: outbox_arrived
UPDATE outbox SET state = 'gone', trouble = NULL, answer = ? WHERE message = ? AND state <> 'gone';

-- name: take_out
UPDATE document SET message = NULL, due_at = ?, why = ?, turn = turn + 1 WHERE number = ? AND ordinal = ?;

-- name: outbox_waits
SELECT o.destination, o.partner, o.state, o.messages, o.next_try, m.sealed_at AS oldest, o.attempts,
       (SELECT x.trouble FROM outbox x WHERE x.destination = o.destination AND x.partner = o.partner
           AND x.state = o.state AND x.trouble IS NOT NULL AND x.trouble NOT LIKE 'voided %'
         ORDER BY x.tried_at DESC LIMIT 1) AS trouble
  FROM (SELECT destination, partner, state, count(*) AS messages, min(not_before) AS next_try,
               min(message) AS first, max(attempts) AS attempts
          FROM outbox WHERE state <> 'gone' AND coalesce(trouble, '') NOT LIKE 'voided %'
         GROUP BY destination, partner, state) o
  JOIN message m ON m.number = o.first
 ORDER BY o.destination, m.sealed_at LIMIT ?;

-- name: documents_wait
SELECT w.state, w.partner, w.why, w.documents, i.received_at AS oldest, w.first, w.next_try
  FROM (SELECT state, partner, why, count(*) AS documents, min(number) AS first, min(due_at) AS next_try
          FROM document WHERE due_at IS NOT NULL AND due_at <= ? GROUP BY state, partner, why) w
  JOIN interchange i ON i.number = w.first
 ORDER BY i.received_at, w.state, w.partner LIMIT ?;

-- name: unanswered
SELECT m.authority, d.partner, count(*) AS documents, min(coalesce(o.tried_at, m.sealed_at)) AS oldest,
       min(d.number) AS first
  FROM document d JOIN message m ON m.number = d.message LEFT JOIN outbox o ON o.message = m.number
 WHERE d.state = 'sent' AND d.status IS NULL AND coalesce(o.tried_at, m.sealed_at) <= ?
 GROUP BY m.authority, d.partner ORDER BY oldest, d.partner LIMIT ?;

-- name: each_document_that_waits
SELECT d.number, d.ordinal, d.spec, d.key, d.partner, d.state, d.why, d.due_at, i.received_at
  FROM document d JOIN interchange i ON i.number = d.number
 WHERE d.due_at IS NOT NULL AND d.due_at <= ? ORDER BY d.number, d.ordinal LIMIT ?;


-- name: document_counts
SELECT spec, state, count(*) AS n FROM document GROUP BY spec, state;

-- name: receipt_counts
SELECT spec, count(*) AS n FROM receipt GROUP BY spec;

-- name: receipt_files
SELECT DISTINCT partner, file FROM receipt;

-- name: filings
SELECT last FROM filing;

-- name: file_next
UPDATE filing SET last = last + 1 RETURNING last;

-- name: add_paper
INSERT INTO paper (number, ordinal, kind, dossier, body) VALUES (?, ?, ?, ?, ?);

-- name: add_mark
INSERT INTO mark (mark, number, ordinal, filing) VALUES (?, ?, ?, ?);

-- name: papers_by_marks
SELECT m.mark, p.number, p.ordinal, p.kind, p.body, d.spec, d.partner,
       CASE WHEN d.why GLOB 'K102*' AND d.state = 'checked' THEN 'keyless' ELSE d.state END AS state,
       d.app_type, d.version, d.status
  FROM json_each(?) AS k JOIN mark m ON m.mark = k.value
  JOIN paper p ON p.number = m.number AND p.ordinal = m.ordinal
  JOIN document d ON d.number = m.number AND d.ordinal = m.ordinal;

-- name: mark_anew
UPDATE mark SET filing = ? WHERE mark = ? AND number = ? AND ordinal = ?;

-- name: marks_since
SELECT DISTINCT m.mark FROM json_each(?) AS k JOIN mark m ON m.mark = k.value WHERE m.filing > ? AND m.filing < ?;

-- name: add_awaited
-- The neighbour of a mark is that mark with its last bit turned.
INSERT INTO mark (mark, number, ordinal, filing) VALUES ((?1 | 1) - (?1 & 1), ?2, -1 - ?3, 0) ON CONFLICT DO NOTHING;

-- name: no_longer_awaited
DELETE FROM mark WHERE mark = (?1 | 1) - (?1 & 1) AND number = ?2 AND ordinal = -1 - ?3;

-- name: awaiting
SELECT DISTINCT a.number, -1 - a.ordinal AS ordinal
  FROM json_each(?) AS k JOIN mark a ON a.mark = (k.value | 1) - (k.value & 1) AND a.ordinal < 0;

-- name: wake_document
UPDATE document SET due_at = ?, turn = turn + 1 WHERE number = ? AND ordinal = ? AND state = 'filed';

-- name: wake_dossier
UPDATE dossier SET due_at = ?, turn = turn + 1 WHERE mark = ?;

-- name: look_at_dossier_of
UPDATE dossier SET due_at = min(coalesce(due_at, ?1), ?1), turn = turn + 1
 WHERE mark = (SELECT dossier FROM paper WHERE number = ?2 AND ordinal = ?3);

-- name: open_dossier
INSERT INTO dossier (mark, platform, order_no, mode, opened_at, phase, due_at) VALUES (?, ?, ?, ?, ?, 'open', ?)
ON CONFLICT DO NOTHING;

-- name: inventory_of_dossier
UPDATE dossier SET mode = ?, phase = ?, number = ?, ordinal = ?, due_at = ?, why = NULL, turn = turn + 1
 WHERE mark = ?;

-- name: records
SELECT r.key, r.value, r.revision FROM json_each(?) AS k JOIN record r ON r.key = k.value;

-- name: keep_record
INSERT INTO record (key, value, revision) VALUES (?1, ?2, 1)
ON CONFLICT (key) DO UPDATE SET value = ?2, revision = revision + 1 WHERE revision = ?3;

-- name: add_notice
INSERT INTO notice (partner, name, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: open_notices
SELECT id, partner, name, body FROM notice WHERE let_go = 0 AND id > ? ORDER BY id LIMIT ?;

-- name: notice_let_go
UPDATE notice SET let_go = 1 WHERE id = ?;

-- name: dossier
SELECT * FROM dossier WHERE mark = ?;

-- name: paper
SELECT p.number, p.ordinal, p.kind, p.dossier, p.body, d.spec, d.partner, d.state, d.app_type, d.version, d.status
  FROM paper p JOIN document d ON d.number = p.number AND d.ordinal = p.ordinal
 WHERE p.number = ? AND p.ordinal = ?;

-- name: dossiers_of
SELECT p.number, p.ordinal, p.kind, p.dossier, d.spec, CASE p.kind WHEN 'aggregate' THEN p.body END AS body, o.phase
  FROM json_each(?) AS k
  JOIN paper p ON p.number = k.value ->> 0 AND p.ordinal = k.value ->> 1
  JOIN document d ON d.number = p.number AND d.ordinal = p.ordinal
  LEFT JOIN dossier o ON o.mark = p.dossier AND o.number = p.number AND o.ordinal = p.ordinal AND o.why IS NULL;

-- name: said_in_dossiers
SELECT m.mark, d.number, d.ordinal, r.spec, r.status, r.said_at, r.info, d.spec AS declared, d.state, d.message, p.kind
  FROM json_each(?) AS k JOIN mark m ON m.mark = k.value
  JOIN paper p ON p.number = m.number AND p.ordinal = m.ordinal AND p.kind IN ('inventory', 'cancel')
  JOIN document d ON d.number = m.number AND d.ordinal = m.ordinal
  LEFT JOIN receipt r ON r.number = m.number AND r.ordinal = m.ordinal;

-- name: due_dossiers
SELECT * FROM dossier WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?;

-- name: dossier_looked_at
UPDATE dossier SET due_at = ?, why = ? WHERE mark = ? AND turn = ?;

-- name: said_in_dossier
SELECT d.number, d.ordinal, r.spec, r.status, r.said_at, r.info, d.spec AS declared, d.state, d.message, p.kind
  FROM mark m JOIN paper p ON p.number = m.number AND p.ordinal = m.ordinal
  JOIN document d ON d.number = m.number AND d.ordinal = m.ordinal
  LEFT JOIN receipt r ON r.number = m.number AND r.ordinal = m.ordinal
 WHERE m.mark = ? AND p.kind IN ('inventory', 'cancel');

-- name: dossier_phase
UPDATE dossier SET phase = ?1, due_at = ?2, turn = turn + 1 WHERE mark = ?3 AND (phase <> ?1 OR why IS NOT NULL);

-- name: pose_question
INSERT INTO question (subject, number, ordinal, path, attempts, not_before) VALUES (?1, ?2, ?3, ?4, 0, ?5)
ON CONFLICT (subject) DO UPDATE
   SET number = ?2, ordinal = ?3, path = ?4, attempts = 0, not_before = max(?5, not_before), answered_at = NULL,
       trouble = NULL
 WHERE answered_at IS NOT NULL;

-- name: question
SELECT * FROM question WHERE subject = ?;

-- name: add_question_wait
INSERT INTO question_waits (subject, number, ordinal) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: questions_due
SELECT q.subject, q.number, q.ordinal, q.path, q.attempts, i.sender, i.door, i.file, i.evidence, i.sha256, i.size
  FROM question q JOIN interchange i ON i.number = q.number
 WHERE q.answered_at IS NULL AND q.not_before <= ? ORDER BY q.not_before LIMIT ?;

-- name: question_asked
UPDATE question SET attempts = attempts + 1, asked_at = ?, not_before = ? WHERE subject = ?;

-- name: question_postponed
UPDATE question SET not_before = ?, trouble = ? WHERE subject = ?;

-- name: question_answered
UPDATE question SET answered_at = ?, trouble = ? WHERE subject = ?;

-- name: question_dropped
UPDATE question SET answered_at = ?, not_before = ?, trouble = ? WHERE subject = ?;

-- name: record
SELECT * FROM record WHERE key = ?;

-- name: put_record
INSERT INTO record (key, value, revision) VALUES (?1, ?2, 1)
ON CONFLICT (key) DO UPDATE SET value = ?2, revision = revision + 1;

-- name: wake_questioners
UPDATE document SET due_at = ?1, turn = turn + 1
 WHERE state = 'filed' AND (number, ordinal) IN (SELECT number, ordinal FROM question_waits WHERE subject = ?2);

-- name: forget_question_waits
DELETE FROM question_waits WHERE subject = ?;

-- name: add_payment_data
INSERT INTO payment_data (pay_code, transaction_id, partner, filed_at, kept_until, sha256, body)
VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id;

-- name: payment_data_of
SELECT * FROM payment_data WHERE pay_code = ? AND transaction_id = ? ORDER BY id;

-- name: add_payment_call
INSERT INTO payment_call (session, platform, came_at, caller, body, reply) VALUES (?, ?, ?, ?, ?, ?);

-- name: payment_calls_of
SELECT * FROM payment_call WHERE session = ? ORDER BY id;

-- name: payment_inquiry
SELECT * FROM payment_inquiry WHERE session = ?;

-- name: add_payment_inquiry
INSERT INTO payment_inquiry (session, platform, order_no, service_time, asked_at, state, not_before, notes)
VALUES (?1, ?2, ?3, ?4, ?5, 'asked', ?5, ?6);

-- name: payment_inquiries_due
SELECT * FROM payment_inquiry WHERE state IN ('asked', 'sealed') AND not_before <= ? ORDER BY not_before, session LIMIT ?;

-- name: payment_inquiries
SELECT i.*, u.id AS upload, u.sealed_at, u.pay_code, u.transaction_id, u.orders, u.suite, u.cert_no, u.kept_until
  FROM payment_inquiry i
  LEFT JOIN payment_upload u ON u.id = (SELECT max(id) FROM payment_upload WHERE session = i.session)
 WHERE (?1 = 0 OR i.state <> 'answered') ORDER BY i.asked_at DESC, i.session LIMIT ?2;

-- name: payment_session
SELECT i.*, u.id AS upload, u.sealed_at, u.pay_code, u.transaction_id, u.orders, u.suite, u.cert_no, u.kept_until
  FROM payment_inquiry i
  LEFT JOIN payment_upload u ON u.id = (SELECT max(id) FROM payment_upload WHERE session = i.session)
 WHERE i.session = ?;

-- name: payment_inquiry_noted
UPDATE payment_inquiry SET notes = ? WHERE session = ?;

-- name: payment_inquiry_sealed
UPDATE payment_inquiry SET state = 'sealed', attempts = 0, trouble = NULL, notes = ? WHERE session = ?;

-- name: payment_inquiry_postponed
UPDATE payment_inquiry SET attempts = attempts + 1, tried_at = ?, not_before = ?, trouble = ? WHERE session = ?;

-- name: payment_inquiry_held
UPDATE payment_inquiry SET state = 'held', attempts = attempts + 1, tried_at = ?, trouble = ? WHERE session = ?;

-- name: payment_inquiry_answered
UPDATE payment_inquiry SET state = 'answered', attempts = attempts + 1, tried_at = ?1, answered_at = ?1, trouble = NULL
 WHERE session = ?2;

-- name: payment_inquiry_again
UPDATE payment_inquiry SET state = ?, attempts = 0, not_before = ?, notes = ? WHERE session = ?;

-- name: payment_inquiries_awake
UPDATE payment_inquiry SET not_before = ?1, attempts = max(attempts - 1, 0)
 WHERE state = 'asked' AND not_before > ?1
   AND (json_extract(trouble, '$[0].value') IN (SELECT value FROM json_each(?2))
        OR json_extract(trouble, '$[0].code') IN ('D105', 'D107', 'D108'));

-- name: payment_inquiries_open
SELECT session, platform, order_no, state, attempts, asked_at, not_before, trouble FROM payment_inquiry
 WHERE state <> 'answered' ORDER BY asked_at, session LIMIT ?;

-- name: payment_inquiries_noted
SELECT session, platform, asked_at, notes FROM payment_inquiry WHERE notes IS NOT NULL AND asked_at > ?
 ORDER BY asked_at DESC LIMIT ?;

-- name: add_payment_upload
INSERT INTO payment_upload
    (session, sealed_at, kept_until, guid, pay_code, transaction_id, orders, suite, cert_no, signed, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: payment_uploads_of
SELECT * FROM payment_upload WHERE session = ? ORDER BY id;

-- name: last_payment_upload
SELECT * FROM payment_upload WHERE session = ? ORDER BY id DESC LIMIT 1;

-- name: add_payment_answer
INSERT INTO payment_answer (upload, at, status, body, trouble) VALUES (?, ?, ?, ?, ?);

-- name: payment_answers_of
SELECT a.* FROM payment_answer a JOIN payment_upload u ON u.id = a.upload WHERE u.session = ? ORDER BY a.id;

-- name: questions_open
SELECT count(*) AS questions, min(not_before) AS next, max(attempts) AS attempts,
       (SELECT trouble FROM question WHERE answered_at IS NULL AND trouble IS NOT NULL ORDER BY not_before LIMIT 1)
       AS trouble
  FROM question WHERE answered_at IS NULL;

-- name: learn_mark
INSERT INTO mark (mark, number, ordinal, filing) SELECT ?, ?, ?, last + 1 FROM filing WHERE true ON CONFLICT DO NOTHING;

-- name: learn_marks
INSERT INTO mark (mark, number, ordinal, filing)
SELECT k.value ->> 0, k.value ->> 1, k.value ->> 2, (SELECT last + 1 FROM filing) FROM json_each(?) AS k
 WHERE true ON CONFLICT DO NOTHING RETURNING mark;

-- name: marks_of_the_homeless
SELECT DISTINCT m.mark FROM json_each(?) AS k CROSS JOIN mark m ON m.mark = k.value
  JOIN paper p ON p.number = m.number AND p.ordinal = m.ordinal AND p.dossier IS NULL;

-- name: answers_of
SELECT r.answer, r.unit, r.spec, i.evidence FROM receipt r JOIN interchange i ON i.number = r.answer
 WHERE r.number = ?1 AND r.ordinal = ?2
 ORDER BY r.id;

-- name: answers_under
SELECT d.number AS answer, d.ordinal AS unit, d.spec, i.evidence
  FROM document d JOIN interchange i ON i.number = d.number
 WHERE d.key = ? AND d.spec IN ('CEB816', 'CEB818')
 ORDER BY d.number, d.ordinal;

-- name: open_dossiers
SELECT mark FROM dossier WHERE phase = 'open' ORDER BY opened_at, mark LIMIT ?;

-- name: silent_dossiers
SELECT mark FROM dossier WHERE phase = 'declared' AND why IS NOT NULL ORDER BY opened_at, mark LIMIT ?;

-- name: silent_dossiers_count
SELECT count(*) AS n FROM dossier WHERE phase = 'declared' AND why IS NOT NULL;

-- name: last_heard
SELECT d.state, d.status, o.tried_at, o.state AS outbox,
       (SELECT max(r.answer) FROM receipt r
         WHERE r.number = d.number AND r.ordinal = d.ordinal
           AND r.spec IN ('CEB622', 'CEB604', 'CEB624', 'CEB606', 'CEB626', 'CEB214')) AS answer
  FROM document d JOIN outbox o ON o.message = d.message WHERE d.number = ? AND d.ordinal = ?;

-- name: open_dossiers_count
SELECT count(*) AS n FROM dossier WHERE phase = 'open';

-- name: documents_counted
SELECT CASE ?3 WHEN 'partner' THEN d.partner WHEN 'day' THEN CAST(d.number / 1000000000000 AS TEXT)
               WHEN 'mode' THEN coalesce(o.mode, '') ELSE '' END AS name,
       d.spec, d.state, count(*) AS documents
  FROM document d LEFT JOIN paper p ON ?3 = 'mode' AND p.number = d.number AND p.ordinal = d.ordinal
  LEFT JOIN dossier o ON o.mark = p.dossier
 WHERE d.number BETWEEN ?1 AND ?2
 GROUP BY 1, 2, 3;

-- name: mismatches_counted
SELECT CASE ?3 WHEN 'partner' THEN d.partner WHEN 'day' THEN CAST(d.number / 1000000000000 AS TEXT)
               WHEN 'mode' THEN coalesce(o.mode, '') ELSE '' END AS name,
       json_extract(f.value, '$.code') AS code, count(DISTINCT s.number || '.' || s.ordinal) AS documents
  FROM stamp s, json_each(s.findings) f
  JOIN document d ON d.number = s.number AND d.ordinal = s.ordinal
  LEFT JOIN paper p ON ?3 = 'mode' AND p.number = d.number AND p.ordinal = d.ordinal
  LEFT JOIN dossier o ON o.mark = p.dossier
 WHERE s.number BETWEEN ?1 AND ?2 AND s.findings IS NOT NULL AND json_extract(f.value, '$.code') LIKE 'T1%'
 GROUP BY 1, 2;

-- name: trades_counted
SELECT CASE ?3 WHEN 'partner' THEN coalesce(d.partner, '') WHEN 'day' THEN substr(datetime(o.opened_at, '+8 hours'), 1, 10)
               WHEN 'mode' THEN o.mode ELSE '' END AS name,
       o.phase, count(*) AS trades
  FROM dossier o LEFT JOIN document d ON ?3 = 'partner' AND d.number = o.number AND d.ordinal = o.ordinal
 WHERE o.opened_at >= ?1 AND o.opened_at < ?2
 GROUP BY 1, 2;

-- name: trades_released
SELECT CASE ?3 WHEN 'partner' THEN coalesce(d.partner, '') WHEN 'day' THEN substr(datetime(o.opened_at, '+8 hours'), 1, 10)
               WHEN 'mode' THEN o.mode ELSE '' END AS name,
       86400 * (min(julianday(r.said_at)) - julianday(o.opened_at)) AS seconds
  FROM dossier o JOIN receipt r ON r.number = o.number AND r.ordinal = o.ordinal AND r.status IN ('800', '899')
  LEFT JOIN document d ON ?3 = 'partner' AND d.number = o.number AND d.ordinal = o.ordinal
 WHERE o.phase IN ('released', 'closed') AND o.opened_at >= ?1 AND o.opened_at < ?2
 GROUP BY o.mark;

-- name: wake_lists
UPDATE dossier SET due_at = ?1, turn = turn + 1
 WHERE mark IN (SELECT p.dossier FROM json_each(?2) AS k JOIN mark m ON m.mark = k.value
                  JOIN paper p ON p.number = m.number AND p.ordinal = m.ordinal WHERE p.kind = 'inventory');

-- name: number_given
SELECT value FROM given_number WHERE number = ? AND ordinal = ? AND kind = ? AND kind IN ('invtNo', 'sumNo')
 ORDER BY value DESC LIMIT 1;

-- name: documents_given
SELECT number, ordinal FROM given_number WHERE value = ? AND kind = ? AND authority = ? ORDER BY number, ordinal;

-- name: add_result
INSERT INTO aggregate_result (sum_no, authority, number, ordinal, said_at, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING;

-- name: results
SELECT number, ordinal, said_at, body FROM aggregate_result WHERE sum_no = ? AND authority = ?
 ORDER BY said_at, number, ordinal;

-- name: aggregate_came
INSERT INTO aggregate (sum_no, authority, came_at, due_at) VALUES (?1, ?2, ?3, ?3)
ON CONFLICT (sum_no, authority) DO UPDATE SET came_at = ?3, due_at = ?3, turn = turn + 1;

-- name: aggregate_has_number
UPDATE aggregate SET due_at = came_at, turn = turn + 1 WHERE sum_no = ? AND authority = ?;

-- name: aggregate
SELECT * FROM aggregate WHERE sum_no = ? LIMIT 1;

-- name: due_aggregates
SELECT * FROM aggregate WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at LIMIT ?;

-- name: aggregate_compared
UPDATE aggregate SET due_at = ?, verdict = ?, findings = ? WHERE sum_no = ? AND authority = ? AND turn = ?;

-- name: kept_by_secret
SELECT 1 FROM record WHERE key BETWEEN 'identity|' AND 'identity}' OR key BETWEEN 'quota|' AND 'quota}'
    OR key BETWEEN 'fxquota|' AND 'fxquota}' OR key BETWEEN 'fxbought|' AND 'fxbought}'
UNION ALL SELECT 1 FROM question LIMIT 1;

-- name: came_by_sftp
SELECT 1 FROM interchange WHERE door = 'sftp' LIMIT 1;

-- name: papers_under_number
SELECT p.number, p.ordinal, p.kind, p.dossier, p.body, d.spec, d.partner, d.state, d.app_type, d.version, d.status
  FROM mark m JOIN paper p ON p.number = m.number AND p.ordinal = m.ordinal
  JOIN document d ON d.number = m.number AND d.ordinal = m.ordinal
 WHERE m.mark = ? AND p.kind IN ('inventory', 'cancel', 'refund', 'tally');

-- name: paper_joins
UPDATE paper SET dossier = ? WHERE number = ? AND ordinal = ? AND dossier IS NULL;

-- name: fx_waiting
SELECT o.message, m.spec, m.documents, m.evidence,
       (SELECT max(e.message) FROM document d
          JOIN document e ON e.key = d.key AND e.spec = d.spec AND e.message < d.message
         WHERE d.message = o.message AND d.app_type <> '1') AS after
  FROM outbox o JOIN message m ON m.number = o.message
 WHERE o.destination = ?1 AND o.state = 'waiting'
   AND NOT EXISTS (SELECT 1 FROM fx_part p WHERE p.message = o.message)
 ORDER BY m.spec, o.message;

-- name: fx_batches_of
SELECT DISTINCT f.batch FROM fx_part p JOIN fx_file f ON f.name = p.file
  JOIN json_each(?1) asked ON asked.value = p.message ORDER BY f.batch;

-- name: fx_in_batch
SELECT f.name, f.type, f.records, p.message, m.evidence FROM fx_file f JOIN fx_part p ON p.file = f.name
  JOIN message m ON m.number = p.message WHERE f.batch = ? ORDER BY f.type, f.name, p.message;

-- name: fx_unassigned
SELECT asked.value AS message FROM json_each(?1) asked
 WHERE NOT EXISTS (SELECT 1 FROM fx_part p WHERE p.message = asked.value);

-- name: fx_last_batch
SELECT max(made_at) AS made_at FROM fx_batch WHERE authority = ?;

-- name: fx_batch_names
SELECT name FROM fx_batch WHERE name BETWEEN ?1 AND ?2;

-- name: fx_file_names
SELECT name FROM fx_file WHERE name BETWEEN ?1 AND ?2;

-- name: add_fx_batch
INSERT INTO fx_batch (name, authority, app_type, made_at) VALUES (?, ?, ?, ?);

-- name: add_fx_file
INSERT INTO fx_file (name, batch, type, records, listen_at) VALUES (?, ?, ?, ?, ?);

-- name: add_fx_part
INSERT INTO fx_part (message, file) VALUES (?, ?);

-- name: fx_file
SELECT f.*, b.authority, b.made_at FROM fx_file f JOIN fx_batch b ON b.name = f.batch WHERE f.name = ?;

-- name: fx_records
SELECT d.number, d.ordinal, d.key, d.spec, d.partner, d.state FROM fx_part p JOIN message m ON m.number = p.message
  JOIN json_each('["' || replace(m.documents, ' ', '","') || '"]') AS name
  JOIN document d ON d.number = CAST(substr(name.value, 1, instr(name.value, '.') - 1) AS INTEGER)
   AND d.ordinal = CAST(substr(name.value, instr(name.value, '.') + 1) AS INTEGER) AND d.message = p.message
 WHERE p.file = ? ORDER BY p.message, d.number, d.ordinal;

-- name: fx_answered
UPDATE fx_file SET answer = ?, refused = ? WHERE name = ? AND answer IS NULL;

-- name: fx_messages
SELECT message FROM fx_part WHERE file = ? ORDER BY message;

-- name: fx_file_of
SELECT file FROM fx_part WHERE message = ?;

-- name: due_fx_silence
SELECT f.name, b.authority FROM fx_file f JOIN fx_batch b ON b.name = f.batch
 WHERE f.answer IS NULL AND f.listen_at <= ? ORDER BY f.listen_at LIMIT ?;

-- name: fx_file_left
SELECT sum(o.state <> 'gone') AS waiting, max(o.tried_at) AS left_at FROM fx_part p
  JOIN outbox o ON o.message = p.message WHERE p.file = ?;

-- name: fx_listen_again
UPDATE fx_file SET listen_at = ? WHERE name = ? AND answer IS NULL;

-- name: fx_files
SELECT b.authority, f.batch, f.name, f.records, b.made_at, f.answer, f.refused,
       sum(o.state = 'gone') AS gone, count(*) AS messages, max(o.tried_at) AS left_at
  FROM fx_file f JOIN fx_batch b ON b.name = f.batch CROSS JOIN fx_part p ON p.file = f.name
 CROSS JOIN outbox o ON o.message = p.message AND o.destination = b.authority
 WHERE (?1 IS NULL OR b.authority = ?1) GROUP BY f.name ORDER BY b.made_at, f.batch, f.name;

-- name: guarantee_of
SELECT account, released_on, count(*) AS entries, sum(amount) AS occupied
  FROM guarantee_entry WHERE number = ? AND ordinal = ? GROUP BY account, released_on;

-- name: add_guarantee
INSERT INTO guarantee_entry (number, ordinal, sequence, account, released_on, at, what, reason, amount)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: guarantee_unknown
INSERT INTO guarantee_unknown (number, ordinal, account, released_on) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- name: guarantee_known
DELETE FROM guarantee_unknown WHERE number = ? AND ordinal = ?;

-- name: guarantees_of_dossier
SELECT DISTINCT g.number, g.ordinal FROM mark m JOIN guarantee_entry g ON g.number = m.number AND g.ordinal = m.ordinal
 WHERE m.mark = ?;

-- name: guarantee_accounts
SELECT account, sum(amount) AS occupied, count(DISTINCT number || '.' || ordinal) AS inventories
  FROM guarantee_entry WHERE (?1 IS NULL OR account = ?1) GROUP BY account ORDER BY account;

-- name: guarantee_entries
SELECT * FROM guarantee_entry WHERE (?1 IS NULL OR account = ?1) AND at >= ?2 ORDER BY at, number, ordinal, sequence;

-- name: guaranteed
SELECT number, ordinal, account, released_on, sum(amount) AS occupied FROM (
    SELECT number, ordinal, account, released_on, amount FROM guarantee_entry
     WHERE account = ?1 AND released_on BETWEEN ?2 AND ?3
    UNION ALL
    SELECT number, ordinal, account, released_on, 0 FROM guarantee_unknown
     WHERE account = ?1 AND released_on BETWEEN ?2 AND ?3) AS one
 GROUP BY number, ordinal, account, released_on ORDER BY released_on, number, ordinal;

-- name: guarantee_open_days
SELECT account, released_on, count(*) AS inventories, sum(occupied) AS occupied FROM (
    SELECT max(account) AS account, max(released_on) AS released_on, sum(amount) AS occupied FROM guarantee_entry
     GROUP BY number, ordinal HAVING sum(amount) > 0) AS one
 GROUP BY account, released_on ORDER BY account, released_on;

-- name: guarantee_days
SELECT DISTINCT account, released_on FROM (
    SELECT account, released_on FROM guarantee_entry UNION SELECT account, released_on FROM guarantee_unknown) AS one
 WHERE ?1 IS NULL OR account = ?1;

-- name: bills_of
SELECT r.value FROM given_number g
  JOIN record r ON r.key >= 'bill|' || g.authority || '|' || g.value || '|'
               AND r.key < 'bill|' || g.authority || '|' || g.value || '}'
 WHERE g.number = ? AND g.ordinal = ? AND g.kind = 'invtNo' ORDER BY r.key;

-- name: duty_paid
INSERT INTO duty_paid (duty_no, paid_on, at, by) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- name: billed_under
SELECT count(*) AS bills FROM record r
 WHERE r.key >= 'bill|' AND r.key < 'bill}' AND r.value <> '' AND r.value ->> '$.duty_no' = ?;

-- name: duties_paid
SELECT duty_no, paid_on FROM duty_paid WHERE duty_no IN (SELECT value FROM json_each(?));

-- name: wake_billed
UPDATE dossier SET due_at = ?1, turn = turn + 1 WHERE mark IN (
    SELECT p.dossier FROM record r
      JOIN given_number g ON g.value = r.value ->> '$.invt_no' AND g.kind = 'invtNo'
      JOIN paper p ON p.number = g.number AND p.ordinal = g.ordinal
     WHERE r.key >= 'bill|' AND r.key < 'bill}' AND r.value <> '' AND r.value ->> '$.duty_no' = ?2);

-- name: wake_dossier_of
UPDATE dossier SET due_at = ?1, turn = turn + 1 WHERE mark = (SELECT dossier FROM paper WHERE number = ?2 AND ordinal = ?3);

-- name: add_purchase
INSERT INTO purchase_line (holder, invoice, line, issued_on, hs, loaded_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING;

-- name: purchase
SELECT holder, body, EXISTS (SELECT 1 FROM tax_use u
                              WHERE u.thing = 'purchase|' || p.invoice || '|' || p.line AND u.freed_at IS NULL) AS used
  FROM purchase_line p WHERE invoice = ? AND line = ?;

-- name: amend_purchase
UPDATE purchase_line SET issued_on = ?, hs = ?, loaded_at = ?, body = ? WHERE invoice = ? AND line = ?;

-- name: purchases_of
SELECT p.*, coalesce((SELECT sum(u.amount) FROM tax_use u
                       WHERE u.thing = 'purchase|' || p.invoice || '|' || p.line AND u.freed_at IS NULL), 0) AS used
  FROM purchase_line p WHERE p.holder = ? ORDER BY p.issued_on, p.invoice, p.line;

-- name: add_export
INSERT INTO export_line (holder, declaration, item, exported_on, loaded_at, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING;

-- name: export
SELECT holder, body FROM export_line WHERE declaration = ? AND item = ?;

-- name: amend_export
UPDATE export_line SET exported_on = ?, loaded_at = ?, body = ? WHERE declaration = ? AND item = ?;

-- name: items_of_export
SELECT item, exported_on, body FROM export_line WHERE declaration = ?;

-- name: exports_of
SELECT * FROM export_line WHERE holder = ? AND exported_on <= ? ORDER BY exported_on, declaration, item;

-- name: released_lists
SELECT o.mark, p.number, p.ordinal, p.kind, p.body, d.spec, d.partner, d.state, d.app_type, d.version, d.status
  FROM dossier o JOIN paper p ON p.number = o.number AND p.ordinal = o.ordinal
  JOIN document d ON d.number = p.number AND d.ordinal = p.ordinal
 WHERE o.phase IN ('released', 'closed') AND d.spec = 'CEB603' ORDER BY p.number, p.ordinal;

-- name: tax_used
SELECT u.thing FROM tax_use u
 WHERE u.freed_at IS NULL AND u.thing IN (SELECT value FROM json_each(?))
   AND NOT EXISTS (SELECT 1 FROM tax_drawn t JOIN refused_for_good f ON f.number = t.number AND f.ordinal = 1
                    WHERE t.key = u.key);

-- name: add_use
INSERT INTO tax_use (thing, key, amount, whole) VALUES (?, ?, ?, ?);

-- name: free_uses
UPDATE tax_use SET freed_at = ? WHERE key = ? AND freed_at IS NULL;

-- name: refused_drawn
SELECT t.key FROM tax_drawn t JOIN refused_for_good f ON f.number = t.number AND f.ordinal = 1 WHERE t.undone_at IS NULL;

-- name: add_drawn
INSERT INTO tax_drawn (key, partner, kind, drawn_at, body) VALUES (?, ?, ?, ?, ?);

-- name: undo_drawn
UPDATE tax_drawn SET undone_at = ? WHERE key = ? AND undone_at IS NULL;

-- name: drawn_handed_in
UPDATE tax_drawn SET number = ? WHERE key = ?;

-- name: drawn_open
SELECT * FROM tax_drawn WHERE number IS NULL AND undone_at IS NULL ORDER BY key;

-- name: drawn_all
SELECT t.key, t.partner, t.kind, t.drawn_at, t.number, t.undone_at, d.state, d.status
  FROM tax_drawn t LEFT JOIN document d ON d.number = t.number AND d.ordinal = 1
 WHERE t.kind = ? ORDER BY t.key;

-- name: drawn_of
SELECT t.key, t.body, t.number,
       t.undone_at IS NOT NULL
       OR EXISTS (SELECT 1 FROM refused_for_good f WHERE f.number = t.number AND f.ordinal = 1) AS undone
  FROM tax_drawn t WHERE t.kind = ?1 AND t.key > ?2 || '|' AND t.key < ?2 || '}' ORDER BY t.key;

-- name: last_batch
SELECT max(key) AS key FROM tax_drawn WHERE key > ?1 || '|' AND key < ?1 || '}';

-- name: declared_to
-- What decided stands for the answers, for it may have come before what it decided about; else the last one.
SELECT d.spec, d.partner, d.number, d.ordinal, d.key, d.state, d.status, count(r.id) AS answers,
       coalesce(max(CASE WHEN r.outcome <> 'interim' THEN r.id END), max(r.id)) AS last
  FROM outbox o JOIN document d ON d.message = o.message
  LEFT JOIN receipt r ON r.number = d.number AND r.ordinal = d.ordinal AND r.partner = d.partner
   AND r.spec NOT IN ('CEB816', 'CEB818')
 WHERE o.destination = ? AND o.state = 'gone' GROUP BY d.number, d.ordinal ORDER BY d.number, d.ordinal;

-- name: receipt_numbered
SELECT partner, spec, key, status, info, file FROM receipt WHERE id = ?;
