DROP INDEX incident_long;
