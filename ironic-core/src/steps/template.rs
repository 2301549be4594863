use super::UserStep;

/// Deploy steps that every instance with the trait of this name gets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeployTemplate {
    /// Its name, which is a trait's.
    pub name: String,
    /// The steps, each with a priority.
    pub steps: Vec<UserStep>,
}

impl DeployTemplate {
    /// A template.
    pub fn new(name: impl Into<String>, steps: Vec<UserStep>) -> Self {
        Self {
            name: name.into(),
            steps,
        }
    }

    /// Those of `templates` whose trait the instance has, each once, in the order of `templates`.
    pub fn matching<'a, T: AsRef<str>>(
        templates: &'a [Self],
        instance_traits: &[T],
    ) -> Vec<&'a Self> {
        let has = |name: &str| instance_traits.iter().any(|t| t.as_ref() == name);
        templates.iter().filter(|t| has(&t.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::DeployTemplate;

    #[test]
    fn a_template_matches_the_trait_of_its_name_once() {
        let all = ["CUSTOM_A", "CUSTOM_B"].map(|name| DeployTemplate::new(name, Vec::new()));
        let names = |traits: &[&str]| {
            let matching = DeployTemplate::matching(&all, traits);
            matching.iter().map(|t| t.name.clone()).collect::<Vec<_>>()
        };
        assert!(names(&[]).is_empty());
        assert!(names(&["HW_CPU_X86_VMX"]).is_empty());
        assert_eq!(names(&["CUSTOM_B", "X", "CUSTOM_B"]), ["CUSTOM_B"]);
        assert_eq!(names(&["CUSTOM_B", "CUSTOM_A"]), ["CUSTOM_A", "CUSTOM_B"]);
    }
}
