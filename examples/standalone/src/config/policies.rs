//! `[access]`: who may do what, once it is known who asks.

use std::path::Path;

use super::access::{AccessSection, set};
use crate::access::{Policies, PolicyError};

impl AccessSection {
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
