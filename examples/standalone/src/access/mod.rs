//! Who may do what: who asks is found out first ([`Identity`]), then whether they may.

mod identity;

pub use identity::Identity;
