/// A text with `*` for any characters, also none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<String>);

impl Glob {
    /// Reads a pattern; every text is one.
    pub fn new(pattern: &str) -> Glob {
        Glob(pattern.split('*').map(str::to_owned).collect())
    }

    /// Tells whether this pattern stands for the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, others)) = self.0.split_first() else { return false };
        let Some((last, between)) = others.split_last() else { return text == first };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for part in between {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }

    /// Tells whether it stands for every text that begins so.
    pub fn covers(&self, beginning: &str) -> bool {
        self.0.len() > 1 && self.0.last().is_some_and(String::is_empty) && self.matches(beginning)
    }

    /// Tells whether it stands for every text.
    pub fn is_any(&self) -> bool {
        self.0.len() > 1 && self.0.iter().all(String::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let cases = [
            ("a", "a", true),
            ("a", "ab", false),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a*b", true),
            ("a*", "a", true),
            ("a*", "abc", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a.c", "abc", false),
            ("A*", "abc", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern:?} and {text:?}");
        }
    }

    #[test]
    fn what_covers_a_beginning_stands_for_all_that_begins_so() {
        for (pattern, beginning, expected) in [
            ("*", "", true),
            ("a*", "", false),
            ("a*", "a", true),
            ("a*", "ab", true),
            ("ab*", "a", false),
            ("ab", "ab", false),
            ("*b", "ab", false),
            ("a*b*", "ab", true),
        ] {
            assert_eq!(Glob::new(pattern).covers(beginning), expected, "{pattern:?} and {beginning:?}");
        }
    }

    #[test]
    fn only_stars_stand_for_everything() {
        assert!(Glob::new("*").is_any() && Glob::new("**").is_any());
        assert!(!Glob::new("").is_any() && !Glob::new("a*").is_any());
    }
}
