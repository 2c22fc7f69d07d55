//! Whole-system tests: the product as a process, driven from outside.
//!
//! Nothing here knows the server's code. A test starts the binary in a fresh folder ([`tocsin`]), talks to it as the
//! outside world does ([`http`], [`live`], [`browser`]), and receives its pages with real receivers ([`hook`],
//! [`mail`]). Whatever has to be waited for is waited for in [`wait`].

pub mod browser;
pub mod dice;
pub mod environment;
pub mod front;
pub mod hook;
pub mod http;
pub mod lab;
pub mod lab_server;
pub mod live;
pub mod load;
pub mod mail;
pub mod oracle;
pub mod postgres;
pub mod running;
pub mod senders;
pub mod store_lock;
pub mod tocsin;
pub mod vcenter;
pub mod wait;
