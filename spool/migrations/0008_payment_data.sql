-- Raw payment data for customs (notices 2018-165 and 2018-179): what was filed, what was asked, what was uploaded.

-- What a payment firm or a platform filed of one payment, as it wrote it; the last of each partner counts.
CREATE TABLE payment_data (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    pay_code       TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    partner        TEXT NOT NULL,
    filed_at       TEXT NOT NULL,
    kept_until     TEXT NOT NULL,
    sha256         BLOB NOT NULL CHECK (length(sha256) = 32),
    body           BLOB NOT NULL
) STRICT;
CREATE INDEX payment_data_of ON payment_data (pay_code, transaction_id, id);

-- Every call of customs that was admitted, as it came, and what was answered.
CREATE TABLE payment_call (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    session  TEXT,
    platform TEXT NOT NULL,
    came_at  TEXT NOT NULL,
    caller   TEXT NOT NULL,
    body     BLOB NOT NULL,
    reply    BLOB NOT NULL
) STRICT;
CREATE INDEX payment_call_session ON payment_call (session) WHERE session IS NOT NULL;

-- One session of customs: an order asked for, until customs has the data.  `asked`: answered 10000, not sealed yet;
-- `sealed`: an upload stands; `answered`: customs has it; `held`: an operator must decide.
CREATE TABLE payment_inquiry (
    session      TEXT PRIMARY KEY,
    platform     TEXT NOT NULL,
    order_no     TEXT NOT NULL,
    service_time INTEGER NOT NULL,
    asked_at     TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('asked', 'sealed', 'answered', 'held')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    not_before   TEXT NOT NULL,
    tried_at     TEXT,
    answered_at  TEXT,
    trouble      TEXT,
    notes        TEXT
) WITHOUT ROWID, STRICT;
CREATE INDEX payment_inquiry_due ON payment_inquiry (not_before) WHERE state IN ('asked', 'sealed');
CREATE INDEX payment_inquiry_open ON payment_inquiry (asked_at) WHERE state <> 'answered';

-- One sealed upload: the bytes that leave and the text that was signed.  The last of a session is the one that counts.
CREATE TABLE payment_upload (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    session    TEXT NOT NULL REFERENCES payment_inquiry (session),
    sealed_at  TEXT NOT NULL,
    kept_until TEXT NOT NULL,
    guid       TEXT NOT NULL UNIQUE,
    pay_code   TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    orders     TEXT NOT NULL,
    suite      TEXT NOT NULL,
    cert_no    TEXT NOT NULL,
    signed     BLOB NOT NULL,
    body       BLOB NOT NULL
) STRICT;
CREATE INDEX payment_upload_of ON payment_upload (session, id);

-- What became of each attempt to deliver it.
CREATE TABLE payment_answer (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    upload  INTEGER NOT NULL REFERENCES payment_upload (id),
    at      TEXT NOT NULL,
    status  INTEGER,
    body    BLOB,
    trouble TEXT
) STRICT;
CREATE INDEX payment_answer_of ON payment_answer (upload, id);

CREATE TRIGGER payment_data_stays BEFORE UPDATE ON payment_data
BEGIN SELECT RAISE(ABORT, 'raw payment data is never changed'); END;

CREATE TRIGGER payment_data_remains BEFORE DELETE ON payment_data
WHEN OLD.kept_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
BEGIN SELECT RAISE(ABORT, 'raw payment data is kept until its date'); END;

CREATE TRIGGER payment_call_stays BEFORE UPDATE ON payment_call
BEGIN SELECT RAISE(ABORT, 'a call of customs is never changed'); END;

CREATE TRIGGER payment_upload_stays BEFORE UPDATE ON payment_upload
BEGIN SELECT RAISE(ABORT, 'an upload is never changed'); END;

CREATE TRIGGER payment_upload_remains BEFORE DELETE ON payment_upload
WHEN OLD.kept_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
BEGIN SELECT RAISE(ABORT, 'an upload is kept until its date'); END;

CREATE TRIGGER payment_answer_stays BEFORE UPDATE ON payment_answer
BEGIN SELECT RAISE(ABORT, 'an answer of customs is never changed'); END;
