-- Monthly aggregation: what customs made of an application (CEB792), and whether that was expected.

-- One result or part of one, as far as it is compared; written once.
CREATE TABLE aggregate_result (
    sum_no    TEXT NOT NULL,
    authority TEXT NOT NULL,
    number    INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    said_at   TEXT NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY (sum_no, authority, number, ordinal)
) WITHOUT ROWID, STRICT;

-- All results of one application: when the last came, when they are compared (again), and how they differ.
CREATE TABLE aggregate (
    sum_no    TEXT NOT NULL,
    authority TEXT NOT NULL,
    came_at   TEXT NOT NULL,
    due_at    TEXT,
    verdict   TEXT CHECK (verdict IN ('agrees', 'differs')),
    findings  TEXT,
    PRIMARY KEY (sum_no, authority)
) WITHOUT ROWID, STRICT;
CREATE INDEX aggregate_due ON aggregate (due_at) WHERE due_at IS NOT NULL;

-- Which number a list or an application was given.
CREATE INDEX given_to ON given_number (number, ordinal) WHERE kind IN ('invtNo', 'sumNo');
