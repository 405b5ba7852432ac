-- Silence of an exchange office: when a file that it has not answered is looked at, and its partners are told.

ALTER TABLE fx_file ADD COLUMN listen_at TEXT;
CREATE INDEX fx_file_listened ON fx_file (listen_at) WHERE answer IS NULL AND listen_at IS NOT NULL;

-- Files that left before this stood are looked at once.
UPDATE fx_file SET listen_at = (SELECT b.made_at FROM fx_batch b WHERE b.name = fx_file.batch) WHERE answer IS NULL;

-- Changes and deletions in a message: what they change may wait for the same file, and two versions never share one.
CREATE INDEX document_changes ON document (message) WHERE message IS NOT NULL AND app_type <> '1';
