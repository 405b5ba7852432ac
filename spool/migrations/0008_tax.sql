-- Tax: what of a guarantee is occupied, and what has been declared for a refund or an exemption.

-- One movement of a guarantee, in hundred-thousandths of a yuan, for one inventory of retail import.  Append only; what
-- is occupied is their sum.  `paid` of a pay-in document frees all that its bills occupy.
CREATE TABLE guarantee_entry (
    number      INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    account     TEXT NOT NULL,
    released_on TEXT NOT NULL,
    at          TEXT NOT NULL,
    what        TEXT NOT NULL CHECK (what IN ('occupy', 'release')),
    reason      TEXT NOT NULL CHECK (reason IN ('released', 'billed', 'returned', 'void', 'paid')),
    amount      INTEGER NOT NULL CHECK ((what = 'occupy') = (amount > 0) AND amount <> 0),
    PRIMARY KEY (number, ordinal, sequence)
) WITHOUT ROWID, STRICT;
CREATE INDEX guarantee_account ON guarantee_entry (account, released_on);

CREATE TRIGGER guarantee_follows BEFORE INSERT ON guarantee_entry
WHEN NEW.sequence <> 1 + coalesce((SELECT max(sequence) FROM guarantee_entry
                                    WHERE number = NEW.number AND ordinal = NEW.ordinal), 0)
  OR NEW.amount + coalesce((SELECT sum(amount) FROM guarantee_entry
                             WHERE number = NEW.number AND ordinal = NEW.ordinal), 0) < 0
BEGIN SELECT RAISE(ABORT, 'this movement does not follow the one before, or gives back more than was occupied'); END;

CREATE TRIGGER guarantee_stays BEFORE UPDATE ON guarantee_entry
BEGIN SELECT RAISE(ABORT, 'a movement of a guarantee is never changed'); END;

CREATE TRIGGER guarantee_remains BEFORE DELETE ON guarantee_entry
BEGIN SELECT RAISE(ABORT, 'a movement of a guarantee is never deleted'); END;

-- One released inventory whose tax was not known when it was looked at: nothing is occupied, and the statement says so.
CREATE TABLE guarantee_unknown (
    number      INTEGER NOT NULL,
    ordinal     INTEGER NOT NULL,
    account     TEXT NOT NULL,
    released_on TEXT NOT NULL,
    PRIMARY KEY (number, ordinal)
) WITHOUT ROWID, STRICT;

-- One pay-in document (缴款书) that its collector says he has paid.
CREATE TABLE duty_paid (
    duty_no TEXT PRIMARY KEY,
    paid_on TEXT NOT NULL,
    at      TEXT NOT NULL,
    by      TEXT NOT NULL
) WITHOUT ROWID, STRICT;

-- One line of a purchase invoice, as its holder loaded it; written once.
CREATE TABLE purchase_line (
    holder     TEXT NOT NULL,
    invoice    TEXT NOT NULL,
    line       INTEGER NOT NULL,
    issued_on  TEXT NOT NULL,
    hs         TEXT NOT NULL,
    loaded_at  TEXT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (holder, invoice, line)
) WITHOUT ROWID, STRICT;
CREATE INDEX purchase_hs ON purchase_line (holder, hs, issued_on);
CREATE UNIQUE INDEX purchase_once ON purchase_line (invoice, line);

-- One item of a general export declaration (报关单), as its exporter loaded it; written once.
CREATE TABLE export_line (
    holder      TEXT NOT NULL,
    declaration TEXT NOT NULL,
    item        INTEGER NOT NULL,
    exported_on TEXT NOT NULL,
    loaded_at   TEXT NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (holder, declaration, item)
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX export_once ON export_line (declaration, item);

-- One declaration to the tax office as it was drawn up: a row first, a file in the hall afterwards.
CREATE TABLE tax_drawn (
    key       TEXT PRIMARY KEY,
    partner   TEXT NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('refund', 'exempt')),
    drawn_at  TEXT NOT NULL,
    body      BLOB NOT NULL,
    number    INTEGER,
    undone_at TEXT
) WITHOUT ROWID, STRICT;

-- What a declaration used: so much of a purchase line or of an export line, until the office refuses it.
-- `thing` is purchase|HOLDER|INVOICE|LINE or export|NUMBER WITH ITEM; `amount` in hundred-thousandths of a unit.
CREATE TABLE tax_use (
    thing   TEXT NOT NULL,
    key     TEXT NOT NULL REFERENCES tax_drawn (key),
    amount  INTEGER NOT NULL CHECK (amount > 0),
    whole   INTEGER NOT NULL,
    freed_at TEXT,
    PRIMARY KEY (thing, key)
) WITHOUT ROWID, STRICT;
CREATE INDEX tax_use_of ON tax_use (key);

CREATE TRIGGER tax_use_once BEFORE INSERT ON tax_use
WHEN NEW.amount + coalesce((SELECT sum(amount) FROM tax_use WHERE thing = NEW.thing AND freed_at IS NULL), 0) > NEW.whole
BEGIN SELECT RAISE(ABORT, 'more of this is used than there is'); END;

CREATE TRIGGER tax_use_stays BEFORE UPDATE ON tax_use
WHEN OLD.freed_at IS NOT NULL OR NEW.thing <> OLD.thing OR NEW.key <> OLD.key OR NEW.amount <> OLD.amount
BEGIN SELECT RAISE(ABORT, 'what was used is only freed, and once'); END;

CREATE TRIGGER tax_use_remains BEFORE DELETE ON tax_use
BEGIN SELECT RAISE(ABORT, 'what was used is never forgotten'); END;
