ALTER TABLE counters DROP COLUMN mirror;
DROP TABLE mirror;
