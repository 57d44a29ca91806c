ALTER TABLE changes ADD COLUMN directory TEXT;          -- which one the entry is in; NULL for a recipient's change
