DROP TABLE broken_contact;
DROP TABLE proof;
DROP TABLE delivery;
DELETE FROM meta WHERE key = 'proof.head';
