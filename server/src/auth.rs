//! Who may do what: passwords, tokens, the pace of guessing, and acknowledgement links.

pub mod caplink;
pub mod password;
pub mod throttle;
pub mod token;
