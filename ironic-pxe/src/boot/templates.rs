use std::collections::BTreeMap;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::{BootConfig, BootError, BootInterface, BootNode, PxeOptions, boot_mode};

/// Texts of boot configurations, in the Jinja language.
///
/// The per-node ones are rendered with `pxe_options` ([`PxeOptions`]), `ROOT` and
/// `DISK_IDENTIFIER`. Each starts with the entry `deploy` chosen: `default deploy` for pxelinux,
/// `set default=deploy` for GRUB, `goto deploy` for iPXE, at the start of a line; another entry is
/// chosen later by rewriting that line. Templates written for the Bare Metal service fit, except
/// where they format text with `%`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Templates {
    /// A node's configuration for pxelinux.
    pub pxelinux: String,
    /// A node's configuration for GRUB.
    pub grub: String,
    /// A node's configuration for iPXE.
    pub ipxe: String,
    /// A node's configuration by `cpu_arch`, for loaders other than iPXE; wins over the above.
    pub by_arch: BTreeMap<String, String>,
    /// The script that iPXE loads first, with `ipxe_for_mac_uri` and `ipxe_fallback_script`.
    pub ipxe_boot_script: String,
    /// The configuration that GRUB loads first, with `tftp_root`.
    pub initial_grub: String,
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            pxelinux: include_str!("templates/pxelinux.j2").into(),
            grub: include_str!("templates/grub.j2").into(),
            ipxe: include_str!("templates/ipxe.j2").into(),
            by_arch: BTreeMap::new(),
            ipxe_boot_script: include_str!("templates/boot.ipxe.j2").into(),
            initial_grub: include_str!("templates/initial_grub.j2").into(),
        }
    }
}

/// Language of a node's configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigFormat {
    /// pxelinux.
    Pxelinux,
    /// GRUB.
    Grub,
    /// An iPXE script.
    Ipxe,
}

impl ConfigFormat {
    /// Tells which language a node's boot loader reads.
    ///
    /// # Errors
    ///
    /// When the node's boot mode can not be told.
    pub fn of(
        config: &BootConfig,
        node: &BootNode,
        interface: BootInterface,
    ) -> Result<Self, BootError> {
        Ok(match boot_mode(config, node)?.as_str() {
            _ if interface.is_ipxe() => Self::Ipxe,
            "uefi" => Self::Grub,
            _ => Self::Pxelinux,
        })
    }
}

/// Renders a node's configuration file.
///
/// # Errors
///
/// When the template does not render, or the node names a template of its own.
pub fn render_config(
    config: &BootConfig,
    node: &BootNode,
    format: ConfigFormat,
    options: &PxeOptions,
) -> Result<String, BootError> {
    if super::node::truthy(node.driver_info.get("pxe_template")) {
        // A file chosen by whoever may edit a node would be read with the conductor's rights.
        return Err(BootError::invalid(
            "driver_info/pxe_template",
            "templates are configured by architecture, not by node",
        ));
    }
    let templates = &config.templates;
    let (name, text) = match format {
        ConfigFormat::Ipxe => ("ipxe", &templates.ipxe),
        ConfigFormat::Grub => ("grub", &templates.grub),
        ConfigFormat::Pxelinux => ("pxelinux", &templates.pxelinux),
    };
    let for_arch = node
        .cpu_arch()
        .and_then(|arch| templates.by_arch.get_key_value(arch));
    let (name, text) = match for_arch {
        Some((arch, text)) if format != ConfigFormat::Ipxe => (arch.as_str(), text),
        _ => (name, text),
    };
    // GRUB takes braces for its own, hence the round brackets.
    let (root, disk) = match format {
        ConfigFormat::Grub => ("(( ROOT ))", "(( DISK_IDENTIFIER ))"),
        _ => ("{{ ROOT }}", "{{ DISK_IDENTIFIER }}"),
    };
    let mut options = options.clone();
    if format == ConfigFormat::Grub {
        options.linux_cmd = Some("linux");
        options.initrd_cmd = Some("initrd");
    }
    #[derive(Serialize)]
    #[allow(non_snake_case, reason = "templates know these names")]
    struct Context<'a> {
        pxe_options: &'a PxeOptions,
        ROOT: &'a str,
        DISK_IDENTIFIER: &'a str,
    }
    render(
        name,
        text,
        Context {
            pxe_options: &options,
            ROOT: root,
            DISK_IDENTIFIER: disk,
        },
    )
}

/// Renders the script that iPXE loads first: it looks for a configuration of each network card.
///
/// # Errors
///
/// When the template does not render.
pub fn render_ipxe_boot_script(config: &BootConfig) -> Result<String, BootError> {
    #[derive(Serialize)]
    struct Context<'a> {
        ipxe_for_mac_uri: String,
        ipxe_fallback_script: Option<&'a str>,
    }
    let context = Context {
        ipxe_for_mac_uri: format!("{}/", config.config_subdir),
        ipxe_fallback_script: config.ipxe_fallback_script.as_deref(),
    };
    render("boot.ipxe", &config.templates.ipxe_boot_script, context)
}

/// Renders the configuration that GRUB loads first: it goes on to the one of its network card.
///
/// # Errors
///
/// When the template does not render.
pub fn render_initial_grub(config: &BootConfig) -> Result<String, BootError> {
    #[derive(Serialize)]
    struct Context<'a> {
        tftp_root: &'a str,
    }
    render(
        "initial_grub",
        &config.templates.initial_grub,
        Context {
            tftp_root: &config.tftp_root,
        },
    )
}

fn render(name: &str, text: &str, context: impl Serialize) -> Result<String, BootError> {
    render_with(name, text, context, UndefinedBehavior::Lenient)
}

pub(crate) fn render_with(
    name: &str,
    text: &str,
    context: impl Serialize,
    undefined: UndefinedBehavior,
) -> Result<String, BootError> {
    let failed = |error: minijinja::Error| BootError::Template {
        template: name.to_owned(),
        // The engine's details can quote values; its kind and line can not.
        reason: match error.line() {
            Some(line) => format!("{}, line {line}", error.kind()),
            None => error.kind().to_string(),
        },
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(undefined);
    environment.add_filter("default", default_filter);
    environment.add_filter("hex", hex_filter);
    environment.add_function("enumerate", enumerate);
    environment
        .render_named_str(name, text, Serde(context))
        .map_err(failed)
}

// Jinja's `default` with its second argument: whatever counts as false is replaced as well.
fn default_filter(value: Value, other: Option<Value>, falsy: Option<bool>) -> Value {
    let missing = value.is_undefined() || (falsy == Some(true) && !value.is_true());
    if missing {
        other.unwrap_or_else(|| Value::from(""))
    } else {
        value
    }
}

fn hex_filter(value: u32) -> String {
    format!("{value:#x}")
}

fn enumerate(list: Vec<Value>) -> Vec<Value> {
    list.into_iter()
        .enumerate()
        .map(|(at, value)| Value::from(vec![Value::from(at), value]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_do_not_quote_values() {
        let context = serde_json::json!({"password": "hunter2"});
        let error = render("t", "{{ password|nothing }}", context)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 1") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn a_template_in_the_node_is_refused() {
        let mut node = BootNode::new("n");
        node.driver_info
            .insert("pxe_template".into(), "/etc/shadow".into());
        let config = BootConfig::default();
        let request = super::super::BootRequest::new(&config, &node, BootInterface::Pxe);
        let options = super::super::pxe_options(&request, &[], true, &Default::default()).unwrap();
        assert!(render_config(&config, &node, ConfigFormat::Grub, &options).is_err());
    }
}
