//! `[notifications]`: whom the conductor tells what happens.

use ironic_core::{Config, Error, Secret};

use super::ConfigError;
use super::put::put;
use super::sections::section;
use super::value::Seconds;
use crate::webhook::WebhookSettings;

section! {
    /// `[notifications]`: whom the conductor tells what happens.
    pub struct NotificationsSection("NOTIFICATIONS") {
        /// The least level of what is told: `debug`, `info`, `warning`, `error` or `critical`.
        /// Default: everything.
        level: String,
        /// Where each event is posted to. Default: nowhere.
        webhook_url: Secret<String>,
        /// What posts are signed with. Default: they are not.
        webhook_secret: Secret<String>,
        /// How long a post may take. Default 10.
        webhook_timeout: Seconds,
        /// How often an event is posted at most until it is taken, at least 1. Default 5.
        webhook_attempts: u32,
        /// The pause before the second attempt; it doubles up to a minute. Default 1.
        webhook_retry_interval: Seconds,
        /// How many events wait at most; further ones are dropped. Default 10000.
        webhook_queue: usize,
        /// How many events are posted at a time; of one node always one. From 1 to 64, default 4.
        webhook_senders: usize,
    }
}

impl NotificationsSection {
    pub(super) fn apply(self, config: &mut Config) -> Result<Option<WebhookSettings>, ConfigError> {
        let section = "notifications";
        put(section, "level", self.level, &mut config.notification_level)?;
        let Some(url) = self.webhook_url.filter(|url| !url.expose().is_empty()) else {
            return Ok(None);
        };
        let wrong = |what: &str| ConfigError::from(Error::invalid(what));
        let url = url.expose().as_str();
        let is_http = url.starts_with("http://") || url.starts_with("https://");
        if !is_http || reqwest::Url::parse(url).is_err() {
            return Err(wrong(
                "webhook_url in [notifications] must be an http or https URL",
            ));
        }
        let mut webhook = WebhookSettings::new(url);
        webhook.secret = self
            .webhook_secret
            .filter(|secret| !secret.expose().is_empty());
        put(
            section,
            "webhook_timeout",
            self.webhook_timeout,
            &mut webhook.timeout,
        )?;
        put(
            section,
            "webhook_attempts",
            self.webhook_attempts,
            &mut webhook.attempts,
        )?;
        let pause = &mut webhook.retry_interval;
        put(
            section,
            "webhook_retry_interval",
            self.webhook_retry_interval,
            pause,
        )?;
        put(
            section,
            "webhook_queue",
            self.webhook_queue,
            &mut webhook.queue,
        )?;
        put(
            section,
            "webhook_senders",
            self.webhook_senders,
            &mut webhook.senders,
        )?;
        if webhook.timeout.is_zero() || webhook.attempts == 0 {
            return Err(wrong(
                "webhook_timeout and webhook_attempts in [notifications] must be more than 0",
            ));
        }
        if !(1..=64).contains(&webhook.senders) || webhook.queue < webhook.senders {
            return Err(wrong(
                "webhook_senders in [notifications] must be from 1 to 64, and webhook_queue no less",
            ));
        }
        Ok(Some(webhook))
    }
}
