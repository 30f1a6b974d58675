use crate::domain::connect::workers::worker::Health;

/// A worker that might be asked.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Which one.
    pub url: &'a str,
    /// How it is.
    pub health: Health,
    /// How often it was asked already.
    pub tried: usize,
    /// Whether it is only there for when no other is.
    pub is_spare: bool,
}

/// Returns the place of the one to ask: of those that can be used, the least tried, and then the first of `preferred`.
///
/// Among equals it is the first. One that hangs is the last resort: there might be nothing wrong but the network. With
/// `takes_any` one that cannot be used is better than none.
pub fn choose(candidates: &[Candidate<'_>], preferred: &[&str], takes_any: bool) -> Option<usize> {
    let rank = |candidate: &Candidate<'_>| {
        let wish = preferred.iter().position(|url| *url == candidate.url).unwrap_or(preferred.len());
        let hangs = candidate.health == Health::Hung;
        (
            !candidate.health.is_usable(),
            candidate.is_spare,
            hangs,
            candidate.tried,
            wish,
            candidate.health != Health::Healthy,
        )
    };
    let usable = |candidate: &Candidate<'_>| takes_any || candidate.health.is_usable();
    let usable = candidates.iter().enumerate().filter(|(_, candidate)| usable(candidate));
    usable.min_by_key(|(_, candidate)| rank(candidate)).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Health::{Busy, Down, Healthy, Hung, Starting, Unknown};

    fn chosen(candidates: &[(Health, usize)], preferred: &[&str]) -> Option<usize> {
        let urls = ["a", "b", "c"];
        let candidate = |(url, &(health, tried))| Candidate { url, health, tried, is_spare: false };
        choose(&urls.into_iter().zip(candidates).map(candidate).collect::<Vec<_>>(), preferred, false)
    }

    #[test]
    fn the_best_of_those_that_can_be_used_is_chosen() {
        type Row = (&'static [(Health, usize)], &'static [&'static str], Option<usize>);
        let table: &[Row] = &[
            (&[(Healthy, 0), (Healthy, 0)], &[], Some(0)),
            (&[(Busy, 0), (Healthy, 0)], &[], Some(1)),
            (&[(Unknown, 0), (Busy, 0)], &[], Some(1)),
            (&[(Healthy, 1), (Busy, 0)], &[], Some(1)),
            // A busy leader leads all the same; the second wish is taken before none.
            (&[(Healthy, 0), (Busy, 0)], &["b"], Some(1)),
            (&[(Healthy, 0), (Healthy, 0), (Healthy, 0)], &["x", "c"], Some(2)),
            (&[(Healthy, 0), (Healthy, 1)], &["b"], Some(0)),
            (&[(Healthy, 0), (Hung, 0)], &["b"], Some(0)),
            (&[(Healthy, 3), (Hung, 0)], &[], Some(0)),
            (&[(Down, 0), (Hung, 0)], &[], Some(1)),
            // They would answer as if nothing existed.
            (&[(Starting, 0), (Unknown, 0), (Down, 0)], &["a"], None),
            (&[], &[], None),
        ];
        for (candidates, preferred, expected) in table {
            assert_eq!(chosen(candidates, preferred), *expected, "{candidates:?} {preferred:?}");
        }
    }

    #[test]
    fn a_spare_is_asked_when_no_other_can_be() {
        let of = |health| {
            let member = Candidate { url: "a", health, tried: 5, is_spare: false };
            choose(&[Candidate { url: "b", health: Healthy, tried: 0, is_spare: true }, member], &["b"], false)
        };
        assert_eq!((of(Hung), of(Down)), (Some(1), Some(0)));
    }

    #[test]
    fn how_a_worker_is_can_be_asked_of_one_that_is_not_ready() {
        let of = |health| Candidate { url: "a", health, tried: 0, is_spare: false };
        assert_eq!(choose(&[of(Starting), of(Hung)], &[], true), Some(1));
        assert_eq!(choose(&[of(Starting)], &[], true), Some(0));
    }
}
