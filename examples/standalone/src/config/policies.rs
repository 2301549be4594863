//! `[access]`: who may do what, once it is known who asks.

use std::path::Path;

use super::access::{AccessSection, set};
use std::sync::Arc;

use crate::access::{Authorizer, LivePolicies, Policies, PolicyError};

impl AccessSection {
    /// What decides by those rules, and by the file as it is at the time.
    pub(crate) fn authorizer(&self) -> Result<Arc<dyn Authorizer>, PolicyError> {
        let Some(file) = set(self.policy_file.as_ref()) else {
            return Ok(Arc::new(self.policies()?));
        };
        let section = self.clone();
        let live = LivePolicies::open(file.into(), move || section.policies())?;
        Ok(Arc::new(live))
    }

    /// The rules by which the API judges.
    ///
    /// # Errors
    /// [`PolicyError`] names the file, the line and the rule.
    pub fn policies(&self) -> Result<Policies, PolicyError> {
        let policies = match set(self.policy_file.as_ref()) {
            Some(file) => Policies::load(Path::new(file))?,
            None => Policies::default(),
        };
        if !self.rbac_service_role_elevated_access.unwrap_or(false) {
            return Ok(policies);
        }
        let project = self.rbac_service_project_name.as_deref();
        Ok(policies.with_elevated_services_of(project.unwrap_or("service")))
    }
}
