ALTER TABLE token DROP COLUMN expires_at;
