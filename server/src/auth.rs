//! Who may do what: passwords, tokens, the pace of guessing, and acknowledgement links.

pub mod caplink;
pub mod device;
pub mod keyring;
pub mod password;
pub mod session;
pub mod throttle;
pub mod token;
