DROP TABLE storm;
DROP TABLE contact_send;
