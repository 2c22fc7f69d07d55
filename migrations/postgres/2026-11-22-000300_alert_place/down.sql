DROP TABLE alert_place;
