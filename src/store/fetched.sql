-- What was fetched from the places certificates name, so that it is not asked for again while it holds.
CREATE TABLE fetched (
  url TEXT NOT NULL,
  kind TEXT NOT NULL,                       -- what was asked for there
  request BLOB NOT NULL,                    -- SHA-256 of what was sent along; empty for nothing
  sha256 BLOB NOT NULL,                     -- of the bytes
  size INTEGER NOT NULL,                    -- of the bytes
  fetched INTEGER NOT NULL,
  next_update INTEGER NOT NULL,             -- from then on it is not used
  bytes BLOB NOT NULL,
  PRIMARY KEY (url, kind, request)
) STRICT;
CREATE INDEX fetched_age ON fetched (fetched, size);
