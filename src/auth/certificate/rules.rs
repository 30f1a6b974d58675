use regex::{Captures, Regex};

/// Rules by which the subject of a certificate becomes a name, as Kafka's `ssl.principal.mapping.rules`: the first that
/// matches decides.
pub struct Rules(Vec<Rule>);

enum Rule {
    /// The subject as it is.
    Default,
    /// `RULE:pattern/replacement/`, with `L` or `U` at the end for lower or upper case.
    Pattern { whole: Regex, part: Regex, replacement: String, case: Option<Case> },
}

#[derive(Clone, Copy)]
enum Case {
    Lower,
    Upper,
}

impl Rules {
    /// Reads rules with commas between them; the error is a sentence for the operator.
    pub fn read(text: &str) -> Result<Rules, String> {
        let mut rules = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (rule, after) = rule(rest).map_err(|problem| format!("rule {} {problem}", rules.len() + 1))?;
            rules.push(rule);
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return Err(format!("rule {} has something after its end", rules.len())),
            };
        }
        if rules.is_empty() { Err("there is no rule".to_owned()) } else { Ok(Rules(rules)) }
    }

    /// Returns the name for a subject; `None` where no rule matches.
    pub fn name(&self, subject: &str) -> Option<String> {
        self.0.iter().find_map(|rule| rule.apply(subject)).filter(|name| !name.is_empty())
    }
}

impl Rule {
    fn apply(&self, subject: &str) -> Option<String> {
        let Rule::Pattern { whole, part, replacement, case } = self else { return Some(subject.to_owned()) };
        if !whole.is_match(subject) {
            return None;
        }
        let name = part.replace_all(subject, |captures: &Captures<'_>| expanded(replacement, captures)).into_owned();
        Some(match case {
            None => name,
            Some(Case::Lower) => name.to_lowercase(),
            Some(Case::Upper) => name.to_uppercase(),
        })
    }
}

/// Reads the first rule and returns what follows it.
fn rule(text: &str) -> Result<(Rule, &str), String> {
    if let Some(after) = text.strip_prefix("DEFAULT") {
        return Ok((Rule::Default, after));
    }
    let body = text.strip_prefix("RULE:").ok_or("begins with neither RULE: nor DEFAULT")?;
    let unfinished = "is not RULE:pattern/replacement/";
    let (pattern, body) = until_slash(body).ok_or(unfinished)?;
    let (replacement, after) = until_slash(body).ok_or(unfinished)?;
    let (case, after) = match after.chars().next() {
        Some('L') => (Some(Case::Lower), &after[1..]),
        Some('U') => (Some(Case::Upper), &after[1..]),
        Some(_) | None => (None, after),
    };
    let compile =
        |pattern: &str| Regex::new(pattern).map_err(|error| format!("has a pattern that cannot be used: {error}"));
    let (whole, part) = (compile(&format!("^(?:{pattern})$"))?, compile(pattern)?);
    Ok((Rule::Pattern { whole, part, replacement: replacement.to_owned(), case }, after))
}

/// Splits at the first slash that has no backslash before it.
fn until_slash(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '/' if !is_escaped => return Some((&text[..at], &text[at + 1..])),
            _ => is_escaped = c == '\\' && !is_escaped,
        }
    }
    None
}

/// Puts groups in the places of `$1` to `$9`; `$` before a group that is not there stays, as in Kafka.
fn expanded(replacement: &str, captures: &Captures<'_>) -> String {
    let mut text = String::new();
    let mut characters = replacement.chars().peekable();
    while let Some(c) = characters.next() {
        let group =
            characters.peek().filter(|_| c == '$').and_then(|next| next.to_digit(10)).map(|group| group as usize);
        match group.filter(|group| *group < captures.len()) {
            Some(group) => {
                characters.next();
                text.push_str(captures.get(group).map_or("", |found| found.as_str()));
            }
            // A backslash takes its meaning from what follows it.
            None if c == '\\' => text.extend(characters.next()),
            None => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(rules: &str, subject: &str) -> Option<String> {
        Rules::read(rules).unwrap_or_else(|problem| panic!("{rules}: {problem}")).name(subject)
    }

    /// The first rows are from Kafka's own tests of its SslPrincipalMapper.
    #[test]
    fn the_first_rule_that_matches_decides() {
        const KAFKAS: &str = r"RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/L, RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L, RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/U, DEFAULT";
        let table = [
            (KAFKAS, "CN=Duke,OU=ServiceUsers,O=Org,C=US", Some("duke")),
            (KAFKAS, "CN=Duke,OU=SME,O=mycp,L=Fulton,ST=MD,C=US", Some("duke@sme")),
            (KAFKAS, "cn=duke,OU=JavaSoft,O=Sun Microsystems", Some("DUKE")),
            (KAFKAS, "OU=JavaSoft,O=Sun Microsystems,C=US", Some("OU=JavaSoft,O=Sun Microsystems,C=US")),
            ("DEFAULT", "CN=a,O=b", Some("CN=a,O=b")),
            ("RULE:^CN=(.*?),O=b$/$1/", "CN=a,O=b", Some("a")),
            ("RULE:CN=([^,]*),.*/svc-$1_x/", "CN=a,O=b", Some("svc-a_x")),
            ("RULE:CN=(.*)/$1/", "O=b,CN=a", None),
            ("RULE:CN=a/b/", "CN=ab", None),
            (r"RULE:CN=(a\/b)/$1\/c/", "CN=a/b", Some("a/b/c")),
            ("RULE:CN=(.*)/$1$2/", "CN=a", Some("a$2")),
            ("RULE:CN=(.*)/$1/U,DEFAULT", "CN=ab", Some("AB")),
            ("RULE:CN=(.*),.*/$1/ , DEFAULT", "CN=ab", Some("CN=ab")),
            ("RULE:CN=(.*)//", "CN=a", None),
        ];
        for (rules, subject, expected) in table {
            assert_eq!(name(rules, subject).as_deref(), expected, "{rules} {subject}");
        }
    }

    #[test]
    fn rules_that_cannot_be_read_are_refused() {
        let table = [
            ("", "there is no rule"),
            ("default", "rule 1 begins with neither RULE: nor DEFAULT"),
            ("DEFAULT,RULE:a", "rule 2 is not RULE:pattern/replacement/"),
            ("RULE:a/b", "rule 1 is not RULE:pattern/replacement/"),
            ("RULE:a/b/X", "rule 1 has something after its end"),
            ("RULE:(a/b/", "rule 1 has a pattern that cannot be used"),
            ("RULE:(?=a)/b/", "rule 1 has a pattern that cannot be used"),
        ];
        for (rules, problem) in table {
            let found = Rules::read(rules).err().unwrap_or_default();
            assert!(found.starts_with(problem), "{rules}: {found}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_is_taken_for_rules_or_a_subject_stops_it(text in r"(RULE:|DEFAULT|[\\/$1-3(),LUa-c.*^ü]){0,12}", subject in ".{0,20}") {
            if let Ok(rules) = Rules::read(&text) {
                rules.name(&subject);
            }
        }
    }
}
