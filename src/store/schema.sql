-- Times are milliseconds since 1970 UTC. Digests are SHA-256, 32 bytes; several of them stand one behind the other.

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL                       -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,     -- never used twice, so that purging can go by it
  verb TEXT NOT NULL,
  policy_type TEXT NOT NULL,
  staging INTEGER NOT NULL,
  scope TEXT NOT NULL,
  policy_hash TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended INTEGER,                            -- NULL while it runs
  result TEXT,
  error_code INTEGER,
  error TEXT,
  people INTEGER NOT NULL DEFAULT 0,
  recipients INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0,
  written INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  values_added INTEGER NOT NULL DEFAULT 0,
  values_removed INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_started ON runs (started);
CREATE INDEX runs_unfinished ON runs (id) WHERE ended IS NULL;

CREATE TABLE value_bytes (
  sha256 BLOB NOT NULL UNIQUE,
  bytes BLOB NOT NULL,
  last_run INTEGER NOT NULL                 -- the last run that named it: older than every run kept, it can go
) STRICT;

CREATE TABLE changes (
  run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  person TEXT,
  recipient TEXT,
  primary_smtp_address TEXT,
  attribute TEXT,
  action TEXT NOT NULL,
  reason TEXT,
  loses_last INTEGER NOT NULL,
  before BLOB NOT NULL,
  after BLOB NOT NULL,
  added TEXT NOT NULL,                      -- JSON, as are removed and losers
  removed TEXT NOT NULL,
  losers TEXT NOT NULL,
  removes INTEGER NOT NULL,                 -- whether writing it takes a value away
  result TEXT NOT NULL,
  error_code INTEGER,
  error TEXT,
  PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX changes_person ON changes (person COLLATE NOCASE) WHERE person IS NOT NULL;
CREATE INDEX changes_recipient ON changes (recipient COLLATE NOCASE) WHERE recipient IS NOT NULL;
CREATE INDEX changes_address ON changes (primary_smtp_address COLLATE NOCASE) WHERE primary_smtp_address IS NOT NULL;

CREATE TABLE journal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL,
  change INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'written', 'verified', 'failed')),
  begun INTEGER NOT NULL,
  written INTEGER,
  ended INTEGER,
  FOREIGN KEY (run, change) REFERENCES changes (run, number) ON DELETE CASCADE
) STRICT;
CREATE INDEX journal_change ON journal (run, change);
CREATE INDEX journal_begun ON journal (begun);
CREATE INDEX journal_open ON journal (id) WHERE state IN ('pending', 'written');

CREATE TABLE written (                      -- what SmimeSync wrote and did not take back; all else is foreign
  recipient TEXT NOT NULL,
  attribute TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  run INTEGER NOT NULL,
  PRIMARY KEY (recipient, attribute, sha256)
) STRICT, WITHOUT ROWID;

CREATE TABLE people (
  scope TEXT NOT NULL,
  identity TEXT NOT NULL,
  recipient TEXT,                           -- the one the person last stood behind
  fitness TEXT,                             -- of the person's best value when last seen; NULL without any
  last_seen_run INTEGER NOT NULL,
  PRIMARY KEY (scope, identity)
) STRICT, WITHOUT ROWID;

CREATE TABLE watermarks (
  scope TEXT PRIMARY KEY,
  kind TEXT NOT NULL,                       -- complete, later also dirsync, usn, syncrepl
  payload BLOB,
  invocation_id TEXT,
  read_run INTEGER NOT NULL,                -- the last complete read
  read_at INTEGER NOT NULL,
  people INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE retries (
  scope TEXT NOT NULL,
  identity TEXT NOT NULL,
  run INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  error_code INTEGER NOT NULL,
  PRIMARY KEY (scope, identity)
) STRICT, WITHOUT ROWID;

CREATE TABLE holds (
  recipient TEXT PRIMARY KEY,
  run INTEGER NOT NULL,
  since INTEGER NOT NULL,
  directory_values BLOB NOT NULL            -- a hold ends when the directory's values are others
) STRICT, WITHOUT ROWID;
