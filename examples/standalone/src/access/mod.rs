//! Who may do what: who asks is found out first ([`Authenticator`], [`Identity`]), then whether
//! they may ([`Authorizer`]).

mod authentication;
mod authorizer;
mod gate;
mod identity;
mod policy;

pub use authentication::{
    AccessError, Asked, Authenticator, BasicAuthenticator, KeystoneAuthenticator, KeystoneLogin,
    KeystoneScope, KeystoneSettings, Refusal, UsersError,
};
pub use authorizer::{Authorizer, Object, Target};
pub use gate::Access;
pub use identity::Identity;
pub use policy::{Explanation, Policies, PolicyError};

pub(crate) use authentication::{Named, is_public, of as authenticator_of};
pub(crate) use policy::LivePolicies;
