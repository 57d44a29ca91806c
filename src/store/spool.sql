-- A run's own, never on a disk for longer than the run. What a person or recipient is known by is apart from its values,
-- so that looking through all of them reads little.
CREATE TABLE people (
  place INTEGER PRIMARY KEY,                -- from 0, in the order they were read
  identity TEXT NOT NULL,
  complete INTEGER NOT NULL,
  digest BLOB NOT NULL,                     -- of everything the person is made of
  record BLOB NOT NULL
) STRICT;
CREATE TABLE person_values (
  place INTEGER PRIMARY KEY,
  record BLOB NOT NULL
) STRICT;
CREATE TABLE recipients (
  place INTEGER PRIMARY KEY,
  read INTEGER NOT NULL,                    -- when, milliseconds since 1970 UTC
  record BLOB NOT NULL
) STRICT;
CREATE TABLE recipient_values (
  place INTEGER PRIMARY KEY,
  record BLOB NOT NULL
) STRICT;
CREATE TABLE rows (
  number INTEGER PRIMARY KEY,
  recipient TEXT,
  writes INTEGER NOT NULL,
  removes INTEGER NOT NULL,
  loses_last INTEGER NOT NULL,
  record BLOB NOT NULL
) STRICT;
CREATE INDEX rows_to_write ON rows (recipient) WHERE writes;
CREATE INDEX rows_that_remove ON rows (recipient, loses_last) WHERE removes OR loses_last;
CREATE TABLE seen (
  place INTEGER PRIMARY KEY,
  recipient TEXT,
  fitness TEXT,
  claims TEXT,
  due INTEGER
) STRICT;
