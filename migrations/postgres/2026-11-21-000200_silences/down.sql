ALTER TABLE counters DROP COLUMN silence;
DROP TABLE silence;
