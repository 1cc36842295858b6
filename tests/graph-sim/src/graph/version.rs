//! Graph versions: the version a call names, and the version that serves it.

/// The app's default version. It serves calls that name no version, or one that does not exist yet.
pub(crate) const CURRENT: u32 = 26;

/// Usable versions, with the second at which each one ends (`None`: no date yet).
const USABLE: &[(u32, Option<i64>)] = &[
    (21, Some(1_800_489_600)), // 2027-01-21
    (22, Some(1_810_771_200)), // 2027-05-20
    (23, Some(1_822_953_600)), // 2027-10-08
    (24, Some(1_834_444_800)), // 2028-02-18
    (25, Some(1_848_441_600)), // 2028-07-29
    (26, Some(1_856_908_800)), // 2028-11-04
    (27, None),
];

/// Parses a path segment such as `v26.0`.
pub(crate) fn parse(segment: &str) -> Option<u32> {
    segment.strip_prefix('v')?.strip_suffix(".0")?.parse().ok()
}

/// Returns the version that serves a call naming `wanted`. An expired version does not fail: the oldest usable newer
/// version silently serves the call. `None` for a version that never existed.
pub(crate) fn answering(wanted: Option<u32>, now_s: i64) -> Option<u32> {
    let newest = USABLE.last().map_or(CURRENT, |(version, _)| *version);
    let wanted = wanted.filter(|wanted| *wanted <= newest).unwrap_or(CURRENT);
    if wanted == 0 {
        return None;
    }
    USABLE
        .iter()
        .filter(|(_, ends_s)| ends_s.is_none_or(|at| now_s < at))
        .map(|(version, _)| *version)
        .find(|version| *version >= wanted)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_dead_version_is_answered_by_the_next_living_one() {
        let now = 1_790_000_000;
        assert_eq!(super::answering(Some(25), now), Some(25));
        assert_eq!(super::answering(Some(18), now), Some(21));
        assert_eq!(super::answering(None, now), Some(26));
        assert_eq!(super::answering(Some(27), now), Some(27));
        assert_eq!(super::answering(Some(99), now), Some(26));
        assert_eq!(super::answering(Some(0), now), None);
    }
}
