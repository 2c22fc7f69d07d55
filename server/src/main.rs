//! The program `tocsin`.

fn main() {}
