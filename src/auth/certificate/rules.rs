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
    let compile = |pattern: &str| Regex::new(pattern).map_err(|error| format!("has a pattern that cannot be used: {error}"));
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
        let group = characters.peek().filter(|_| c == '$').and_then(|next| next.to_digit(10)).map(|group| group as usize);
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
