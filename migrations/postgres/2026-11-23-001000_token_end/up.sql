-- A sender's token may end by itself, when another one took its place.
ALTER TABLE token ADD COLUMN expires_at BIGINT;
