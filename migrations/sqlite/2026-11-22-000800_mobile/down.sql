DROP TABLE mobile_answer;
DROP TABLE pairing;
DROP TABLE device_session;
