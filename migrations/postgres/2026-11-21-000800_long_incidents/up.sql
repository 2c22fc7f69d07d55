-- Which incidents that opened more than a week before a range were over only in it, or later. There are few.
CREATE INDEX incident_long ON incident (id) WHERE live = 0 AND resolved_at - opened_at > 604800000;
