DROP TABLE swap;
DROP TABLE shift;
DELETE FROM meta WHERE key = 'shifts_recorded_until';
