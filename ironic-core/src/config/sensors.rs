use std::time::Duration;

/// Which sensors are read how often, for whom (`[sensor_data]`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SensorData {
    /// Whether sensors are read at all. Default: false (`send_sensor_data`).
    pub enabled: bool,
    /// How often. Default 10 min, at least 1 s (`interval`).
    pub interval: Duration,
    /// How many machines are read at a time. Default 4, at least 1 (`workers`).
    pub workers: usize,
    /// How long one round over all machines may take; those that were not reached in it wait for
    /// the next. Default 5 min (`wait_timeout`).
    pub wait_timeout: Duration,
    /// The types of sensors that are told of, such as `Temperature`, in upper or lower case;
    /// `ALL` is every type. Default: `ALL` (`data_types`).
    pub data_types: Vec<String>,
    /// Whether machines are read. Default: true (`enable_for_nodes`).
    pub for_nodes: bool,
    /// Whether those without an instance are too. Default: false (`enable_for_undeployed_nodes`).
    pub for_undeployed_nodes: bool,
    /// Whether the conductor tells of itself. Default: true (`enable_for_conductor`).
    pub for_conductor: bool,
}

impl Default for SensorData {
    fn default() -> Self {
        Self {
            enabled: false,
            interval: Duration::from_secs(600),
            workers: 4,
            wait_timeout: Duration::from_secs(300),
            data_types: vec!["ALL".to_owned()],
            for_nodes: true,
            for_undeployed_nodes: false,
            for_conductor: true,
        }
    }
}
