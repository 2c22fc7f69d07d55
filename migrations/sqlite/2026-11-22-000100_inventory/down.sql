DROP TABLE vm_move;
DROP TABLE inventory;
