//! Reproducible chance: everything that a dump draws comes from here. Knows nothing of CloudTrail.
//!
//! Only integers and the four exact operations on floats are used, so that a seed gives the same
//! bytes on every platform.

use oorandom::Rand64;

const BASE_32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE_64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8] = b"0123456789abcdef";
const NAME: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// A stream of random numbers.
pub(crate) struct Draw(Rand64);

impl Draw {
    /// Returns the stream that belongs to a seed and a number below it, that of a file for instance.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(Rand64::new(u128::from(spread(seed)) << 64 | u128::from(spread(!stream))))
    }

    /// Returns 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.rand_u64()
    }

    /// Returns a number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("64 of 128 bits")
    }

    /// Returns an index below `length`.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("below a usize")
    }

    /// Returns true in so many cases of a thousand.
    pub(crate) fn per_mille(&mut self, cases: u64) -> bool {
        self.below(1000) < cases
    }

    /// Returns one of several.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        choices.get(self.index(choices.len())).expect("at least one choice")
    }

    /// Returns an index, each as likely as its weight; `sums` are the weights added up.
    pub(crate) fn weighted(&mut self, sums: &[u64]) -> usize {
        let at = self.below(sums.last().copied().expect("at least one weight"));
        sums.partition_point(|sum| *sum <= at)
    }

    /// Returns a number of a distribution close to the logarithmic normal one.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        // The sum of twelve even numbers is close to a normal one and needs no library of the
        // platform.
        let normal: f64 = (0..12).map(|_| self.0.rand_float()).sum::<f64>() - 6.0;
        median * exponential(sigma * normal)
    }

    /// Appends so many random hexadecimal digits.
    pub(crate) fn hex(&mut self, out: &mut String, count: u64) {
        self.text(out, HEX, count);
    }

    /// Appends so many random letters and digits as the ids of AWS have.
    pub(crate) fn id(&mut self, out: &mut String, count: u64) {
        self.text(out, BASE_32, count);
    }

    /// Appends so many random characters of a token.
    pub(crate) fn token(&mut self, out: &mut String, count: u64) {
        self.text(out, BASE_64, count);
    }

    /// Returns so many random small letters and digits.
    pub(crate) fn name(&mut self, count: u64) -> String {
        let mut out = String::new();
        self.text(&mut out, NAME, count);
        out
    }

    /// Appends a random UUID of version 4.
    pub(crate) fn uuid(&mut self, out: &mut String) {
        for (count, behind) in [(8, "-"), (4, "-4"), (3, "-a"), (3, "-"), (12, "")] {
            self.hex(out, count);
            out.push_str(behind);
        }
    }

    fn text(&mut self, out: &mut String, alphabet: &[u8], count: u64) {
        let mut bits = 0;
        for at in 0..count {
            if at % 8 == 0 {
                bits = self.bits();
            }
            let [first, ..] = bits.to_le_bytes();
            let letter =
                alphabet.get(usize::from(first) % alphabet.len()).expect("below the length");
            out.push(char::from(*letter));
            bits >>= 8;
        }
    }
}

/// Mixes a small number into 64 bits (the last step of SplitMix64).
fn spread(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Returns e to the power of `exponent`: a short series for a small part of it, then squared.
fn exponential(exponent: f64) -> f64 {
    let part = exponent / 1024.0;
    let mut power = 1.0 + part * (1.0 + part / 2.0 * (1.0 + part / 3.0 * (1.0 + part / 4.0)));
    for _ in 0..10 {
        power *= power;
    }
    power
}
