//! A program that ends with the test that started it, whatever becomes of the test.

use std::process::Child;

/// A program; dropping it ends it.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
