//! Which `If-Match` to try, in order. Pure.

/// The values of `If-Match` to send until one is not refused with 412: as given, then a weak tag as
/// a strong one (RFC 9110 §13.1.1 never matches weak ones, and some BMCs hand out nothing else),
/// then none, for BMCs that take no tag at all.
pub(super) fn candidates(etag: Option<&str>) -> Vec<Option<String>> {
    let Some(etag) = etag.map(str::trim).filter(|etag| !etag.is_empty()) else {
        return vec![None];
    };
    let mut candidates = vec![Some(etag.to_owned())];
    if let Some(strong) = etag.strip_prefix("W/") {
        candidates.push(Some(strong.to_owned()));
    }
    candidates.push(None);
    candidates
}

#[cfg(test)]
mod tests {
    use super::candidates;

    #[test]
    fn from_the_strictest_to_none() {
        let some = |etag: &str| Some(etag.to_owned());
        assert_eq!(candidates(Some("\"a\"")), [some("\"a\""), None]);
        assert_eq!(
            candidates(Some("W/\"a\"")),
            [some("W/\"a\""), some("\"a\""), None]
        );
        assert_eq!(candidates(Some(" ")), [None]);
        assert_eq!(candidates(None), [None]);
    }
}
