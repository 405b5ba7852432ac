-- The book of the hall.  Times are ISO 8601 with zone; findings are JSON lists.

CREATE TABLE legal_move (
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    PRIMARY KEY (from_state, to_state)
) WITHOUT ROWID, STRICT;

INSERT INTO legal_move VALUES
    ('received', 'checked'), ('received', 'refused'), ('received', 'held'), ('received', 'closed'),
    ('checked', 'filed'), ('checked', 'ready'), ('checked', 'refused'), ('checked', 'held'),
    ('filed', 'checked'), ('filed', 'ready'), ('filed', 'refused'), ('filed', 'held'),
    ('ready', 'sent'), ('ready', 'closed'), ('ready', 'refused'), ('ready', 'held'),
    ('sent', 'closed'), ('sent', 'refused'), ('sent', 'held'),
    ('held', 'received'), ('held', 'checked'), ('held', 'filed'), ('held', 'ready'), ('held', 'sent'),
    ('held', 'refused');

-- One transmission that came in.  Written once; nothing of it changes.
CREATE TABLE interchange (
    number       INTEGER PRIMARY KEY,
    sender       TEXT NOT NULL,
    door         TEXT NOT NULL,
    file         TEXT NOT NULL,
    size         INTEGER NOT NULL,
    sha256       BLOB NOT NULL CHECK (length(sha256) = 32),
    fingerprint  INTEGER NOT NULL,
    received_at  TEXT NOT NULL,
    evidence     TEXT NOT NULL,
    spec         TEXT,
    revision     TEXT,
    documents    INTEGER NOT NULL,
    duplicate_of INTEGER,
    replay_of    INTEGER,
    once         TEXT,
    findings     TEXT
) STRICT;
CREATE INDEX interchange_same_bytes ON interchange (fingerprint) WHERE duplicate_of IS NULL AND replay_of IS NULL;
CREATE UNIQUE INDEX interchange_once ON interchange (sender, once) WHERE once IS NOT NULL;

-- One order, payment, waybill, inventory: the thing with a life.
-- due_at is set exactly while the document rests in received, checked, filed or held; a held one has the last date there is.
CREATE TABLE document (
    number     INTEGER NOT NULL,
    ordinal    INTEGER NOT NULL,
    spec       TEXT NOT NULL,
    key        TEXT,
    version    INTEGER,
    partner    TEXT NOT NULL,
    state      TEXT NOT NULL,
    app_type   TEXT,
    digest     BLOB,
    reply_key  TEXT,
    authority  TEXT,
    message    INTEGER,
    status     TEXT,
    status_at  TEXT,
    due_at     TEXT,
    why        TEXT,
    PRIMARY KEY (number, ordinal)
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX document_key ON document (key, spec, version);
CREATE INDEX document_waits ON document (due_at, partner) WHERE due_at IS NOT NULL;
CREATE INDEX document_reply_key ON document (reply_key) WHERE reply_key IS NOT NULL;

-- One thing that happened to a document.  Append only; document.state is its projection.
CREATE TABLE stamp (
    number     INTEGER NOT NULL,
    ordinal    INTEGER NOT NULL,
    sequence   INTEGER NOT NULL,
    at         TEXT NOT NULL,
    desk       TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state   TEXT NOT NULL,
    by         TEXT NOT NULL,
    reason     TEXT,
    findings   TEXT,
    PRIMARY KEY (number, ordinal, sequence)
) WITHOUT ROWID, STRICT;

-- One sealed message: bytes that leave, written once.
CREATE TABLE message (
    number     INTEGER PRIMARY KEY,
    guid       TEXT NOT NULL UNIQUE,
    spec       TEXT NOT NULL,
    partner    TEXT NOT NULL,
    authority  TEXT NOT NULL,
    documents  TEXT NOT NULL,
    suite      TEXT NOT NULL,
    key_name   TEXT NOT NULL,
    sealed_at  TEXT NOT NULL,
    evidence   TEXT NOT NULL,
    size       INTEGER NOT NULL,
    sha256     BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT;

-- One thing that must leave.  A retry is a date.
CREATE TABLE outbox (
    message     INTEGER NOT NULL REFERENCES message (number),
    destination TEXT NOT NULL,
    partner     TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'gone', 'held')),
    attempts    INTEGER NOT NULL,
    not_before  TEXT NOT NULL,
    tried_at    TEXT,
    trouble     TEXT,
    answer      TEXT,
    PRIMARY KEY (message, destination)
) WITHOUT ROWID, STRICT;
CREATE INDEX outbox_due ON outbox (destination, partner, not_before, message) WHERE state = 'waiting';

-- One answer of an authority about one document, in the order in which we learned it.
CREATE TABLE receipt (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    partner  TEXT NOT NULL,
    answer   INTEGER NOT NULL,
    unit     INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    spec     TEXT NOT NULL,
    key      TEXT NOT NULL,
    status   TEXT NOT NULL,
    outcome  TEXT NOT NULL CHECK (outcome IN ('interim', 'final', 'refused')),
    said_at  TEXT NOT NULL,
    info     TEXT NOT NULL,
    file     TEXT NOT NULL,
    UNIQUE (answer, unit, number, ordinal)
) STRICT;
CREATE INDEX receipt_partner ON receipt (partner, id);
CREATE INDEX receipt_document ON receipt (number, ordinal);

-- One batch: what must be let go after commit, told by its range of numbers.
CREATE TABLE batch (
    first     INTEGER PRIMARY KEY,
    last      INTEGER NOT NULL,
    low_water INTEGER NOT NULL,
    let_go_at TEXT
) STRICT;
CREATE INDEX batch_open ON batch (first) WHERE let_go_at IS NULL;

-- A refusal frees the key only when the authority has refused it too, or never had it: what an operator refuses
-- after it was carried stays declared.
CREATE VIEW refused_for_good AS
    SELECT d.number, d.ordinal FROM document d
     WHERE d.state = 'refused'
       AND (NOT EXISTS (SELECT 1 FROM outbox o WHERE o.message = d.message AND o.state = 'gone')
            OR EXISTS (SELECT 1 FROM receipt r
                        WHERE r.number = d.number AND r.ordinal = d.ordinal AND r.outcome = 'refused'));

CREATE TRIGGER document_begins BEFORE INSERT ON document WHEN NEW.state <> 'received'
BEGIN SELECT RAISE(ABORT, 'a document begins as received'); END;

CREATE TRIGGER document_moves BEFORE UPDATE OF state ON document
WHEN NEW.state <> OLD.state AND NOT EXISTS (
    SELECT 1 FROM legal_move WHERE from_state = OLD.state AND to_state = NEW.state)
BEGIN SELECT RAISE(ABORT, 'this state may not follow that one'); END;

CREATE TRIGGER document_stays BEFORE DELETE ON document
BEGIN SELECT RAISE(ABORT, 'a document is never deleted'); END;

CREATE TRIGGER stamp_moves AFTER INSERT ON stamp WHEN NEW.from_state <> NEW.to_state AND NEW.from_state <> ''
BEGIN
    UPDATE document SET state = NEW.to_state
     WHERE number = NEW.number AND ordinal = NEW.ordinal AND state = NEW.from_state;
    SELECT CASE WHEN changes() = 0 THEN RAISE(ABORT, 'the document does not stand where the stamp says') END;
END;

CREATE TRIGGER stamp_stays BEFORE UPDATE ON stamp
BEGIN SELECT RAISE(ABORT, 'a stamp is never changed'); END;

CREATE TRIGGER stamp_remains BEFORE DELETE ON stamp
BEGIN SELECT RAISE(ABORT, 'a stamp is never deleted'); END;

CREATE TRIGGER interchange_stays BEFORE UPDATE ON interchange
BEGIN SELECT RAISE(ABORT, 'an interchange is never changed'); END;

CREATE TRIGGER interchange_remains BEFORE DELETE ON interchange
BEGIN SELECT RAISE(ABORT, 'an interchange is never deleted'); END;

CREATE TRIGGER message_stays BEFORE UPDATE ON message
BEGIN SELECT RAISE(ABORT, 'a message is never changed'); END;

CREATE TRIGGER message_remains BEFORE DELETE ON message
BEGIN SELECT RAISE(ABORT, 'a message is never deleted'); END;
