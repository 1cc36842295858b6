//! How things are printed.

use jiff::Timestamp;

/// Prints rows in columns, two spaces apart, each line indented by `indent`.
pub(crate) fn print_columns(indent: usize, rows: &[Vec<String>]) {
    for line in columns(rows) {
        println!("{:indent$}{line}", "");
    }
}

fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (place, cell) in row.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(place) {
                Some(known) => *known = width.max(*known),
                None => widths.push(width),
            }
        }
    }
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A time, to the second.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long ago a time was, roughly.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    seconds(u64::try_from(now.as_second() - at.as_second()).unwrap_or_default())
}

/// A length of time, roughly.
pub(crate) fn seconds(length: u64) -> String {
    match length {
        0..=99 => format!("{length} s"),
        100..=5999 => format!("{} min", length / 60),
        6000..=172_799 => format!("{} h", length / 3600),
        _ => format!("{} days", length / 86_400),
    }
}

/// One and many of something.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let rows = [row(&["queue", "waiting"]), row(&["lead-worker", "7", "x"])];
        assert_eq!(columns(&rows), ["queue        waiting", "lead-worker  7        x"]);
    }

    #[test]
    fn ages_are_in_the_unit_that_fits() {
        let at = |seconds: i64| Timestamp::from_second(1_000_000 - seconds).unwrap();
        let now = at(0);
        let shown = [5, 600, 7200, 200_000].map(|seconds| age(at(seconds), now));
        assert_eq!(shown, ["5 s", "10 min", "2 h", "2 days"]);
        assert_eq!(age(at(-5), now), "0 s", "clocks differ");
    }
}
