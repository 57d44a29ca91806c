-- The form in which a tenant's certificates could be read last, where JSON had no bytes: asked for first the next time.
CREATE TABLE read_forms (
  environment TEXT NOT NULL,
  organization TEXT NOT NULL,               -- lower-case
  form TEXT NOT NULL,
  PRIMARY KEY (environment, organization)
) STRICT, WITHOUT ROWID;
