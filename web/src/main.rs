//! The browser application's entry: everything is in the library, where it can be tested natively.

fn main() {
    web::start();
}
