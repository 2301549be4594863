use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A rate that criterion has measured.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rate {
    /// The group of benchmarks.
    pub group: String,
    /// The benchmark in it.
    pub function: String,
    /// The median, in elements per second.
    pub per_second: f64,
    /// Half the width of the median's 95% confidence interval, as a part of the median.
    pub spread: f64,
}

/// What a benchmark is called, as criterion notes it.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: String,
    throughput: Throughput,
}

#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Elements")]
    elements: u32,
}

/// What criterion makes of its samples; times are nanoseconds for all of the elements.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// The rates under criterion's folder that were measured since then, in the order of measurement.
///
/// # Errors
/// The folder cannot be read, or holds what criterion does not write.
pub fn find_rates(folder: &Path, since: SystemTime) -> io::Result<Vec<Rate>> {
    let mut found = Vec::new();
    for group in fs::read_dir(folder)? {
        let group = group?.path();
        if !group.is_dir() {
            continue;
        }
        for function in fs::read_dir(group)? {
            let latest = function?.path().join("new");
            let estimates = latest.join("estimates.json");
            let Ok(measured) = fs::metadata(&estimates).and_then(|file| file.modified()) else {
                continue;
            };
            if measured >= since {
                let benchmark: Benchmark = read(&latest.join("benchmark.json"))?;
                let estimates: Estimates = read(&estimates)?;
                found.push((measured, rate(benchmark, &estimates.median)));
            }
        }
    }
    found.sort_by_key(|(measured, _)| *measured);
    Ok(found.into_iter().map(|(_, rate)| rate).collect())
}

fn rate(benchmark: Benchmark, median: &Estimate) -> Rate {
    let Interval {
        lower_bound,
        upper_bound,
    } = median.confidence_interval;
    Rate {
        group: benchmark.group_id,
        function: benchmark.function_id,
        per_second: f64::from(benchmark.throughput.elements) * 1e9 / median.point_estimate,
        spread: (upper_bound - lower_bound) / 2.0 / median.point_estimate,
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::find_rates;

    #[test]
    fn what_criterion_notes_is_found_and_what_is_old_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let latest = folder.path().join("store").join("one node").join("new");
        fs::create_dir_all(&latest).unwrap();
        fs::create_dir_all(folder.path().join("store").join("report")).unwrap();
        fs::write(
            latest.join("benchmark.json"),
            r#"{"group_id":"store","function_id":"one node","value_str":null,
                "throughput":{"Elements":64},"full_id":"store/one node"}"#,
        )
        .unwrap();
        let estimates = latest.join("estimates.json");
        fs::write(
            &estimates,
            r#"{"median":{"confidence_interval":{"confidence_level":0.95,"lower_bound":950.0,
                "upper_bound":1050.0},"point_estimate":1000.0,"standard_error":1.0}}"#,
        )
        .unwrap();
        let measured = fs::metadata(&estimates).unwrap().modified().unwrap();
        let rates = find_rates(folder.path(), measured).unwrap();
        assert_eq!(rates.len(), 1);
        let rate = &rates[0];
        assert_eq!((&*rate.group, &*rate.function), ("store", "one node"));
        assert_eq!((rate.per_second, rate.spread), (64e6, 0.05));
        let later = measured + Duration::from_secs(1);
        assert!(find_rates(folder.path(), later).unwrap().is_empty());
    }
}
