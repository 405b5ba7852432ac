-- Files of foreign exchange: what is called what, and what stands in it. A row is written before the file is.

-- A batch is one folder of files, named as its control file.
CREATE TABLE fx_batch (
    name      TEXT NOT NULL PRIMARY KEY,
    authority TEXT NOT NULL,
    app_type  TEXT NOT NULL,
    made_at   TEXT NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX fx_batch_made ON fx_batch (authority, made_at);

-- A data file of a batch; its number of the day is its place among those of its type.
CREATE TABLE fx_file (
    name      TEXT NOT NULL PRIMARY KEY,
    batch     TEXT NOT NULL REFERENCES fx_batch (name),
    type      TEXT NOT NULL,
    records   INTEGER NOT NULL,
    answer    INTEGER,
    refused   INTEGER
) WITHOUT ROWID, STRICT;
CREATE INDEX fx_file_of_batch ON fx_file (batch);

-- Which messages stand in a data file, in the order of their numbers.
CREATE TABLE fx_part (
    message   INTEGER NOT NULL PRIMARY KEY,
    file      TEXT NOT NULL REFERENCES fx_file (name)
) STRICT;
CREATE INDEX fx_part_of_file ON fx_part (file);
