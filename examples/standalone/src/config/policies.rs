//! `[policies]`: who may do what.

use std::path::PathBuf;

use super::sections::section;
use crate::access::{Policies, PolicyError};

section! {
    /// `[policies]`: who may do what, once it is known who asks.
    pub struct PoliciesSection("POLICIES") {
        /// The operator's own rules, over those that there are: a YAML mapping of names to checks,
        /// or a JSON object. Empty for none.
        file: String,
        /// Whether services of the project below see and do what members of the whole system may.
        /// Default false.
        elevated_services: bool,
        /// The name of the project of services. Default `service`.
        service_project_name: String,
    }
}

impl PoliciesSection {
    /// The rules by which the API judges.
    ///
    /// # Errors
    /// [`PolicyError`] names the file, the line and the rule.
    pub fn load(&self) -> Result<Policies, PolicyError> {
        let file = self.file.as_deref().filter(|file| !file.is_empty());
        let policies = match file {
            Some(file) => Policies::load(&PathBuf::from(file))?,
            None => Policies::default(),
        };
        if !self.elevated_services.unwrap_or(false) {
            return Ok(policies);
        }
        let project = self.service_project_name.as_deref().unwrap_or("service");
        Ok(policies.with_elevated_services_of(project))
    }
}
