//! Whole-system tests: the product as a process, driven from outside.
