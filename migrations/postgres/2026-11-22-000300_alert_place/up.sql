-- Where the machine of an alert was when the alert came. Never written again: a later move does not change what was.
CREATE TABLE alert_place (
    alert BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    doc TEXT NOT NULL
);
