//! The times of which digests prove that everything that was delivered was read.

use std::collections::BTreeMap;

use crate::time::{Period, Time};

/// From an instant on up to and with another.
pub type Span = (Time, Time);

/// The times that are proven, by account: of an account those that are proven of each of its Regions
/// which have digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProvenPeriods {
    /// In order, apart from one another.
    accounts: BTreeMap<String, Vec<Span>>,
}

impl ProvenPeriods {
    /// Makes them of what is proven, of an account and a Region, by one of its trails.
    pub fn new<'a>(trails: impl Iterator<Item = (&'a str, &'a str, &'a [Span])>) -> Self {
        let mut regions: BTreeMap<(&str, &str), Vec<Span>> = BTreeMap::new();
        for (account, region, spans) in trails {
            regions.entry((account, region)).or_default().extend(spans);
        }
        let mut accounts: BTreeMap<String, Vec<Span>> = BTreeMap::new();
        for ((account, _), spans) in regions {
            let spans = united(spans);
            accounts
                .entry(account.to_owned())
                .and_modify(|known| *known = common(known, &spans))
                .or_insert(spans);
        }
        Self { accounts }
    }

    /// Returns the accounts that have digests, each with what is proven of a period.
    pub fn within(&self, period: Period) -> impl Iterator<Item = (&str, Vec<Span>)> {
        self.accounts.iter().map(move |(account, spans)| (account.as_str(), clipped(spans, period)))
    }

    /// Returns what of a period is proven of all of these accounts.
    pub fn of_all<'a>(&self, accounts: impl Iterator<Item = &'a str>, period: Period) -> Vec<Span> {
        let nothing = Vec::new();
        let of = |account| self.accounts.get(account).unwrap_or(&nothing);
        let all = accounts.map(of).cloned().reduce(|one, other| common(&one, &other));
        clipped(&all.unwrap_or_default(), period)
    }
}

/// Returns what lies in any of these, in order and apart from one another.
fn united(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut united: Vec<Span> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match united.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => united.push((from, to)),
        }
    }
    united
}

/// Returns what lies in both.
fn common(one: &[Span], other: &[Span]) -> Vec<Span> {
    let both = |(from, to): Span| {
        other.iter().map(move |(since, until)| (from.max(*since), to.min(*until)))
    };
    one.iter().copied().flat_map(both).filter(|(from, to)| from < to).collect()
}

fn clipped(spans: &[Span], Period { since, until }: Period) -> Vec<Span> {
    let clip = |(from, to): &Span| {
        (since.map_or(*from, |since| since.max(*from)), until.map_or(*to, |until| until.min(*to)))
    };
    spans.iter().map(clip).filter(|(from, to)| from < to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: i64, to: i64) -> Span {
        (Time::from_micros(from), Time::from_micros(to))
    }

    fn of_all(proven: &ProvenPeriods, accounts: &[&str], period: Period) -> Vec<Span> {
        proven.of_all(accounts.iter().copied(), period)
    }

    #[test]
    fn an_account_is_proven_where_any_trail_proves_each_of_its_regions() {
        let trails: [(&str, &str, &[Span]); 4] = [
            ("1", "eu", &[span(0, 5), span(7, 9)]),
            ("1", "eu", &[span(4, 6)]),
            ("1", "us", &[span(1, 8)]),
            ("2", "us", &[span(3, 20)]),
        ];
        let proven = ProvenPeriods::new(trails.into_iter());
        let always = Period::default();
        assert_eq!(of_all(&proven, &["1"], always), [span(1, 6), span(7, 8)]);
        assert_eq!(of_all(&proven, &["1", "2"], always), [span(3, 6), span(7, 8)]);
        assert_eq!(of_all(&proven, &["1", "2", "3"], always), []);
        assert_eq!(of_all(&proven, &[], always), []);
        let (since, until) = (Some(Time::from_micros(5)), Some(Time::from_micros(7)));
        assert_eq!(of_all(&proven, &["1"], Period { since, until }), [span(5, 6)]);
        let all: Vec<_> = proven.within(Period { since, until }).collect();
        assert_eq!(all, [("1", vec![span(5, 6)]), ("2", vec![span(5, 7)])]);
    }
}
