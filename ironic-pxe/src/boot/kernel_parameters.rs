//! Parameters of a ramdisk's kernel: the operator's, the node's and those of a call.

use std::fmt;

use serde_json::{Map, Value};

use super::{BootConfig, BootError, BootNode, KernelCommandLine, sanitize_kernel_command_line};

/// Parameters that a caller hands to the ramdisk, in the order they are to appear.
///
/// A parameter without a value appears as a bare word.
#[derive(Clone, Default)]
pub struct RamdiskParams(Vec<(String, Option<String>)>);

// The order in which the agent's own parameters appear when a source has no order of its own.
const AGENT_ORDER: [&str; 4] = [
    "ipa-api-url",
    "ipa-inspection-callback-url",
    "ipa-agent-token",
    "ipa-global-request-id",
];

impl RamdiskParams {
    /// Makes an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter, replacing one of the same name in its place.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Option<String>>) -> Self {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(found) => found.1 = value,
            None => self.0.push((name, value)),
        }
        self
    }

    /// Makes a list of a map without order: the agent's own parameters first, then the others by
    /// name. A null stands for a bare word.
    pub fn from_map(map: &Map<String, Value>) -> Self {
        let rank = |name: &str| AGENT_ORDER.iter().position(|known| *known == name);
        let mut list: Vec<_> = map
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                };
                (name.clone(), value)
            })
            .collect();
        list.sort_by_key(|(name, _)| (rank(name).unwrap_or(AGENT_ORDER.len()), name.clone()));
        Self(list)
    }

    /// Returns the value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name)?.1.as_deref()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn append_to(&self, line: &mut String) {
        if self.0.is_empty() {
            return;
        }
        for (name, value) in &self.0 {
            line.push(' ');
            line.push_str(name);
            if let Some(value) = value {
                line.push('=');
                line.push_str(value);
            }
        }
    }
}

impl fmt::Debug for RamdiskParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| {
            let value = value.as_deref();
            (
                name,
                if is_secret(name) {
                    value.map(|_| "***")
                } else {
                    value
                },
            )
        });
        f.debug_map().entries(shown).finish()
    }
}

/// Returns the kernel parameters to append for a node: its instance's, its driver's, or the
/// default, whichever is set first. `%default%` in the former two stands for the default.
///
/// # Errors
///
/// When the node's own parameters are malformed, unless parsing is disabled.
pub fn kernel_append_params(
    node: &BootNode,
    default: Option<&str>,
    disable_parsing: bool,
) -> Result<Option<String>, BootError> {
    let places = [
        ("instance_info/kernel_append_params", &node.instance_info),
        ("driver_info/kernel_append_params", &node.driver_info),
    ];
    for (name, fields) in places {
        let text = match fields.get("kernel_append_params") {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => text,
            Some(_) => return Err(BootError::invalid(name, "no text")),
        };
        let text = text.replace("%default%", default.unwrap_or_default());
        if !disable_parsing && KernelCommandLine::parse(&text).is_err() {
            return Err(BootError::invalid(name, "malformed kernel command line"));
        }
        return Ok(Some(sanitize_kernel_command_line(&text)));
    }
    Ok(default.map(str::to_owned))
}

/// Builds the whole list that is appended to a ramdisk's kernel.
///
/// # Errors
///
/// When any part is malformed, unless parsing is disabled.
pub(crate) fn ramdisk_kernel_line(
    config: &BootConfig,
    node: &BootNode,
    params: &RamdiskParams,
    global_request_id: Option<&str>,
) -> Result<String, BootError> {
    let disabled = config.disable_kernel_parameter_parsing;
    let mut line = kernel_append_params(node, Some(&config.kernel_append_params), disabled)?
        .unwrap_or_default();
    if config.debug && !line.contains("ipa-debug") {
        line.push_str(" ipa-debug=1");
    }
    params.append_to(&mut line);
    if let Some(id) = global_request_id {
        line.push_str(" ipa-global-request-id=");
        line.push_str(id);
    }
    if !disabled && KernelCommandLine::parse(&line).is_err() {
        return Err(BootError::invalid(
            "ramdisk parameters",
            "malformed kernel command line",
        ));
    }
    Ok(line)
}

/// Replaces the values of secret parameters in a kernel command line, for logs.
pub(crate) fn masked(line: &str) -> String {
    let mask = |word: &str| match word.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=***"),
        _ => word.to_owned(),
    };
    line.split(' ').map(mask).collect::<Vec<_>>().join(" ")
}

fn is_secret(name: &str) -> bool {
    ["token", "password", "secret"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_shown() {
        let params = RamdiskParams::new()
            .with("ipa-agent-token", "abc".to_owned())
            .with("ipa-api-url", "http://h".to_owned());
        let shown = format!("{params:?} {}", masked("quiet ipa-agent-token=abc x=1"));
        assert!(!shown.contains("abc"), "{shown}");
        assert!(shown.contains("ipa-agent-token=*** x=1"), "{shown}");
    }
}
