//! Deterministic dice. What an ads world looks like follows from its seed, so none of it has to be stored.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads the bits of a number over the whole word (the finaliser of splitmix64).
pub(crate) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// One throw from `seed` for the thing numbered `which`.
pub(crate) fn throw(seed: u64, which: u64) -> u64 {
    mix(seed.wrapping_add(which.wrapping_mul(GOLDEN)).wrapping_add(GOLDEN))
}

/// Hashes a text to a number.
pub(crate) fn of_text(text: &str) -> u64 {
    text.bytes().fold(GOLDEN, |sum, byte| mix(sum ^ u64::from(byte)))
}

/// A sequence of throws that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, which: u64) -> Self {
        Self(throw(seed, which))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number from 0 to `end`, exclusive.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        let end = u64::try_from(end).unwrap_or(1).max(1);
        i64::try_from(self.next() % end).unwrap_or_default()
    }

    /// A number from `first` to `last`, inclusive.
    pub(crate) fn between(&mut self, first: i64, last: i64) -> i64 {
        first + self.below(last - first + 1)
    }

    /// Returns `true` for `percent` of all throws.
    pub(crate) fn percent(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> Option<&'a T> {
        let at = self.below(i64::try_from(list.len()).unwrap_or(1));
        list.get(usize::try_from(at).unwrap_or_default()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Dice, throw};

    #[test]
    fn the_same_seed_throws_the_same() {
        let throws = |seed| {
            let mut dice = Dice::new(seed, 7);
            [dice.below(1000), dice.between(5, 9), dice.below(1000)]
        };
        assert_eq!(throws(1), throws(1));
        assert_ne!(throws(1), throws(2));
        assert_ne!(throw(1, 2), throw(2, 1));
    }

    #[test]
    fn all_sides_come_up_about_equally_often() {
        let mut dice = Dice::new(42, 0);
        let mut sides = [0; 6];
        for _ in 0..60_000 {
            sides[usize::try_from(dice.below(6)).unwrap()] += 1;
        }
        assert!(sides.iter().all(|count| (9_500..10_500).contains(count)), "{sides:?}");
    }
}
