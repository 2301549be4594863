//! Who may do what: who asks is found out first ([`Identity`]), then whether they may
//! ([`Authorizer`]).

mod authorizer;
mod identity;
mod policy;

pub use authorizer::{Authorizer, Object, Target};
pub use identity::Identity;
pub use policy::{Explanation, Policies, PolicyError};
