ALTER TABLE people ADD COLUMN claims TEXT;              -- the recipient all of the person's names lead to, contested or not
ALTER TABLE people ADD COLUMN digest BLOB;              -- of everything the person was made of when last looked at
ALTER TABLE people ADD COLUMN due INTEGER;              -- when time alone may change what the recipient should hold
ALTER TABLE people ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;  -- left the directory, and something is left behind
CREATE INDEX people_claims ON people (claims) WHERE claims IS NOT NULL;
CREATE INDEX people_due ON people (scope, due) WHERE due IS NOT NULL;
CREATE INDEX people_gone ON people (scope) WHERE gone <> 0;

ALTER TABLE watermarks ADD COLUMN policy_hash TEXT;     -- of policy, trust and tenant when it was moved; payload is the cursor
