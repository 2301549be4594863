//! Kickstart files of the Anaconda installer.

use std::fmt;

use minijinja::UndefinedBehavior;
use serde::Serialize;

use super::templates::render_with;
use super::{BootError, BootNode};

/// What a kickstart template is rendered with, as `ks_options`.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct KickstartOptions {
    /// Where the installer finds the image.
    pub liveimg_url: String,
    /// Token with which the installer reports.
    pub agent_token: String,
    /// Where the installer reports.
    pub heartbeat_url: String,
    /// Shell text that writes the config drive; empty for none.
    pub config_drive: String,
    /// `true` where the image is a folder of packages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_source_a_path: Option<&'static str>,
    /// `true` where the report's certificate is not to be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure_heartbeat: Option<&'static str>,
}

impl fmt::Debug for KickstartOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KickstartOptions")
            .field("liveimg_url", &self.liveimg_url)
            .field("agent_token", &"***")
            .field("heartbeat_url", &self.heartbeat_url)
            .finish_non_exhaustive()
    }
}

impl KickstartOptions {
    /// Makes options for a node whose image is known and who was given a token.
    ///
    /// # Errors
    ///
    /// When `instance_info/image_url` or `driver_internal_info/agent_secret_token` is missing.
    pub fn new(node: &BootNode, api_url: &str, config_drive: &str) -> Result<Self, BootError> {
        let required = |fields: &serde_json::Map<String, serde_json::Value>, name: &str| {
            super::node::text(fields.get(name))
                .ok_or_else(|| BootError::missing(name, "the installer can not do without"))
        };
        Ok(Self {
            liveimg_url: required(&node.instance_info, "image_url")?,
            agent_token: required(&node.driver_internal_info, "agent_secret_token")?,
            heartbeat_url: format!(
                "{}/v1/heartbeat/{}",
                api_url.trim_end_matches('/'),
                node.uuid
            ),
            config_drive: config_drive.to_owned(),
            is_source_a_path: node.is_source_a_path().then_some("true"),
            insecure_heartbeat: None,
        })
    }

    /// Sets whether the report's certificate is not to be checked.
    #[must_use]
    pub fn with_insecure_heartbeat(mut self, insecure: bool) -> Self {
        self.insecure_heartbeat = insecure.then_some("true");
        self
    }
}

#[derive(Serialize)]
struct Context<'a> {
    ks_options: &'a KickstartOptions,
}

/// Renders a kickstart file.
///
/// # Errors
///
/// When the template does not render.
pub fn render_kickstart(template: &str, options: &KickstartOptions) -> Result<String, BootError> {
    render_with(
        "kickstart",
        template,
        Context {
            ks_options: options,
        },
        UndefinedBehavior::Lenient,
    )
}

/// Checks that a template uses what an installation needs, and nothing that is not there.
///
/// # Errors
///
/// When it does not render, or leaves out the image, the token or the report's address.
pub fn validate_kickstart_template(template: &str) -> Result<(), BootError> {
    let sample = KickstartOptions {
        liveimg_url: "sample_image_url".into(),
        agent_token: "sample_token".into(),
        heartbeat_url: "sample_heartbeat_url".into(),
        config_drive: String::new(),
        is_source_a_path: None,
        insecure_heartbeat: None,
    };
    let context = Context {
        ks_options: &sample,
    };
    let text = render_with(
        "kickstart",
        template,
        context,
        UndefinedBehavior::SemiStrict,
    )?;
    let required = [
        ("liveimg_url", &sample.liveimg_url),
        ("agent_token", &sample.agent_token),
        ("heartbeat_url", &sample.heartbeat_url),
    ];
    let missing: Vec<&str> = required
        .into_iter()
        .filter_map(|(name, value)| (!text.contains(value.as_str())).then_some(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(BootError::invalid(
        "kickstart template",
        format!("does not use {}", missing.join(", ")),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "liveimg --url={{ ks_options.liveimg_url }}\n\
        {% if ks_options.insecure_heartbeat %}-k{% endif %} {{ ks_options.agent_token }} \
        {{ ks_options.heartbeat_url }}{{ ks_options.config_drive }}";

    #[test]
    fn a_node_gets_its_own() {
        let mut node = BootNode::new("uuid");
        assert!(KickstartOptions::new(&node, "http://api", "").is_err());
        node.instance_info
            .insert("image_url".into(), "http://i".into());
        node.driver_internal_info
            .insert("agent_secret_token".into(), "hush".into());
        let options = KickstartOptions::new(&node, "http://api/", "").unwrap();
        assert!(!format!("{options:?}").contains("hush"));
        let text = render_kickstart(TEMPLATE, &options.with_insecure_heartbeat(true)).unwrap();
        assert_eq!(
            text,
            "liveimg --url=http://i\n-k hush http://api/v1/heartbeat/uuid"
        );
    }

    #[test]
    fn templates_are_checked() {
        validate_kickstart_template(TEMPLATE).unwrap();
        for template in [
            "{{ ks_options.agent_token }}",
            &format!("{TEMPLATE}{{{{ ks_options.else }}}}"),
            "{% if",
        ] {
            assert!(validate_kickstart_template(template).is_err(), "{template}");
        }
    }
}
