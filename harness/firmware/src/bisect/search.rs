//! Bisection: the first of many that is no longer good, where some cannot be judged.

/// What one of them is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// As before.
    Good,
    /// Not any more.
    Bad,
    /// Nobody can tell: it does not build, say.
    Unknown,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The first that is bad.
    First(usize),
    /// One of these: all but the last cannot be judged.
    OneOf(Vec<usize>),
}

/// Finds the first bad one among `0..count`, of which the last is known to be bad, and all before the first are good.
///
/// # Errors
///
/// The first error of `judge`.
pub fn search<E>(count: usize, judge: &mut dyn FnMut(usize) -> Result<Judgement, E>) -> Result<Found, E> {
    // Everything below `low` is good, and `high` is bad.
    let (mut low, mut high) = (0, count.saturating_sub(1));
    let mut unknown = vec![false; count];
    while let Some(middle) = nearest(low, high, &unknown) {
        match judge(middle)? {
            Judgement::Good => low = middle + 1,
            Judgement::Bad => high = middle,
            Judgement::Unknown => {
                if let Some(slot) = unknown.get_mut(middle) {
                    *slot = true;
                }
            }
        }
    }
    Ok(if low >= high { Found::First(high) } else { Found::OneOf((low..=high).collect()) })
}

/// Of those from `low` to below `high` that can be judged, the one nearest to the middle.
fn nearest(low: usize, high: usize, unknown: &[bool]) -> Option<usize> {
    let middle = low + high.saturating_sub(low) / 2;
    (low..high).filter(|index| !unknown.get(*index).copied().unwrap_or(true)).min_by_key(|index| index.abs_diff(middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The search among `count`, of which those from `first` are bad and `unknown` cannot be judged.
    fn found(count: usize, first: usize, unknown: &[usize]) -> (Found, usize) {
        let mut asked = Vec::new();
        let found = search::<()>(count, &mut |index| {
            assert!(!asked.contains(&index), "{index} is asked twice");
            asked.push(index);
            Ok(match index {
                index if unknown.contains(&index) => Judgement::Unknown,
                index if index >= first => Judgement::Bad,
                _ => Judgement::Good,
            })
        });
        (found.expect("nothing fails"), asked.len())
    }

    #[test]
    fn the_first_bad_one_is_found_wherever_it_is() {
        for count in 1..40 {
            for first in 0..count {
                let (found, asked) = found(count, first, &[]);
                assert_eq!(found, Found::First(first), "of {count}");
                assert!(asked <= count.ilog2() as usize + 1, "{asked} of {count} were asked");
            }
        }
    }

    #[test]
    fn what_cannot_be_judged_is_gone_round_or_named() {
        assert_eq!(found(16, 9, &[7, 8]).0, Found::OneOf(vec![7, 8, 9]));
        assert_eq!(found(16, 9, &[3, 12]).0, Found::First(9));
        assert_eq!(found(4, 3, &[0, 1, 2]).0, Found::OneOf(vec![0, 1, 2, 3]));
        assert_eq!(found(1, 0, &[]).0, Found::First(0));
    }

    #[test]
    fn an_error_ends_it() {
        assert_eq!(search(8, &mut |_| Err::<Judgement, &str>("stop")), Err("stop"));
    }
}
