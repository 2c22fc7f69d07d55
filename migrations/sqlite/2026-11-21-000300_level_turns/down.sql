DROP TABLE level_turn;
