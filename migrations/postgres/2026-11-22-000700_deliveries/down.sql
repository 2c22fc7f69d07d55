DROP TABLE broken_contact;
DROP TABLE proof;
DROP FUNCTION proof_is_append_only();
DROP TABLE delivery;
DELETE FROM meta WHERE key = 'proof.head';
