DROP TABLE host_part;
DROP TABLE host;
