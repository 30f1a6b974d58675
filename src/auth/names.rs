use crate::model::Principal;

/// In bytes; a subject of a certificate is the longest there is.
const LONGEST: usize = 1024;

/// Tells whether somebody may be called so: logs and rules have the name, and nobody is anonymous by name.
pub fn is_name(text: &str) -> bool {
    let is_taken = text == Principal::ANONYMOUS;
    !text.is_empty() && text.len() <= LONGEST && !is_taken && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_printable_and_not_that_of_nobody() {
        for good in ["alice", "CN=a b,O=ü", "system:serviceaccount:a:b"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "ANONYMOUS", "a\nb", "a\u{7f}", "a\u{85}b", &"x".repeat(1025)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
