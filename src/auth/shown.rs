use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longer names and passwords are nobody's.
const LONGEST_NAME: usize = 256;
const LONGEST_PASSWORD: usize = 1024;

/// What a request has to show.
pub struct Evidence<'a> {
    /// What its Authorization header says.
    pub shown: Shown<'a>,
    /// The DER of the client certificate that its connection was made with.
    pub certificate: Option<&'a [u8]>,
    /// Where it comes from; `None` where all come from the same place.
    pub address: Option<IpAddr>,
}

/// What an Authorization header says; has no `Debug`, as it holds secrets.
#[derive(PartialEq)]
pub enum Shown<'a> {
    /// There is no such header.
    Nothing,
    /// Basic.
    Password {
        /// The name before the colon.
        user: String,
        /// The rest.
        password: String,
    },
    /// Bearer.
    Token(&'a str),
    /// Another scheme, or none that can be read.
    Unreadable,
}

impl<'a> Shown<'a> {
    /// Reads the value of the header; `None` is not text.
    pub fn read(header: Option<&'a str>) -> Shown<'a> {
        let Some((scheme, rest)) = header.and_then(|text| text.trim().split_once(' ')) else {
            return Shown::Unreadable;
        };
        let rest = rest.trim_start();
        if scheme.eq_ignore_ascii_case("basic") {
            password(rest).unwrap_or(Shown::Unreadable)
        } else if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
            Shown::Token(rest)
        } else {
            Shown::Unreadable
        }
    }
}

/// Reads the base64 of `name:password` (RFC 7617): UTF-8 without control characters, as such would cut a hash short.
fn password(encoded: &str) -> Option<Shown<'static>> {
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    let fits = !user.is_empty() && user.len() <= LONGEST_NAME && password.len() <= LONGEST_PASSWORD;
    let is_plain = !decoded.chars().any(char::is_control);
    (fits && is_plain).then(|| Shown::Password { user: user.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    fn is_password(header: &str, user: &str, password: &str) -> bool {
        Shown::read(Some(header)) == Shown::Password { user: user.to_owned(), password: password.to_owned() }
    }

    #[test]
    fn a_name_and_a_password_are_read() {
        assert!(is_password("Basic YTpi", "a", "b"));
        assert!(is_password("bAsIc   YTpi ", "a", "b"));
        assert!(is_password(&basic("ü:p:q ß"), "ü", "p:q ß"));
        assert!(is_password(&basic("a:"), "a", ""));
    }

    #[test]
    fn a_token_is_read() {
        assert!(Shown::read(Some("bearer  a.b.c ")) == Shown::Token("a.b.c"));
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_nothing() {
        let long_name = basic(&format!("{}:p", "n".repeat(257)));
        let long_password = basic(&format!("n:{}", "p".repeat(1025)));
        let control = [basic("a:b\0c"), basic("a\n:b"), basic(":b"), basic("ab")];
        let table =
            ["", " ", "Basic", "Bearer", "Bearer ", "Basic !!!", "Basic YTp", "Digest a=b", "Basic\tYTpi", "YTpi"];
        let made = control.iter().chain([&long_name, &long_password]).map(String::as_str);
        for header in table.into_iter().chain(made) {
            assert!(Shown::read(Some(header)) == Shown::Unreadable, "{header:?}");
        }
        assert!(Shown::read(None) == Shown::Unreadable);
        assert!(Shown::read(Some("Basic //86YQ==")) == Shown::Unreadable, "not UTF-8");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_taken_for_a_header_stops_it(text in "(Basic|Bearer|[ =:A-Za-z0-9+/ü]){0,20}") {
            Shown::read(Some(&text));
        }

        #[test]
        fn what_was_encoded_is_read(user in "[^:\\p{Cc}]{1,60}", secret in "\\P{Cc}{0,250}") {
            let is_read = is_password(&basic(&format!("{user}:{secret}")), &user, &secret);
            proptest::prop_assert!(is_read);
        }
    }
}
