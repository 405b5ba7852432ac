-- Turnstiles: what stands between the outbox and each authority, as daemon and operators know it.

-- Since when a message lies with the authority's own client, who has not yet said what became of it.
ALTER TABLE outbox ADD COLUMN given_at TEXT;
CREATE INDEX outbox_given ON outbox (destination, not_before) WHERE given_at IS NOT NULL AND state = 'waiting';

-- What has not left: an earlier message is looked for whenever order is kept, and counted for people.
CREATE INDEX outbox_standing ON outbox (destination, partner, message) WHERE state <> 'gone';

-- One authority: its breaker, an operator's pause, a probe that was asked for, and what was spent of its pace.
CREATE TABLE turnstile (
    authority      TEXT PRIMARY KEY,
    breaker        TEXT NOT NULL DEFAULT 'closed' CHECK (breaker IN ('closed', 'open', 'half_open')),
    failures       INTEGER NOT NULL DEFAULT 0,
    wait           REAL NOT NULL DEFAULT 0,
    opened_at      TEXT,
    retry_at       TEXT,
    trouble        TEXT,
    paused_at      TEXT,
    paused_until   TEXT,
    paused_by      TEXT,
    paused_why     TEXT,
    probe_asked_at TEXT,
    probed_at      TEXT,
    probe_said     TEXT,
    spent          TEXT NOT NULL DEFAULT '[]'
) WITHOUT ROWID, STRICT;

-- One thing that an operator or the breaker decided about an authority.  Append only.
CREATE TABLE turnstile_stamp (
    authority TEXT NOT NULL,
    sequence  INTEGER NOT NULL,
    at        TEXT NOT NULL,
    what      TEXT NOT NULL,
    by        TEXT NOT NULL,
    reason    TEXT,
    PRIMARY KEY (authority, sequence)
) WITHOUT ROWID, STRICT;

CREATE TRIGGER turnstile_stamp_stays BEFORE UPDATE ON turnstile_stamp
BEGIN SELECT RAISE(ABORT, 'a stamp is never changed'); END;

CREATE TRIGGER turnstile_stamp_remains BEFORE DELETE ON turnstile_stamp
BEGIN SELECT RAISE(ABORT, 'a stamp is never deleted'); END;
