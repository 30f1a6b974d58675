use std::collections::HashMap;

use crate::auth::basic::hash::Hash;
use crate::auth::fingerprint::Fingerprint;
use crate::auth::names::is_name;

/// Problems that one message names.
const MOST_PROBLEMS: usize = 20;

/// The users of a file, by name.
pub struct Users {
    hashes: HashMap<String, Hash>,
    names: Vec<String>,
}

impl Users {
    /// Reads lines `name:hash`; empty ones and those with `#` in front are skipped. The error names every line that is
    /// wrong, and quotes none.
    pub fn read(text: &str) -> Result<Users, String> {
        let mut hashes = HashMap::new();
        let mut problems = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            match user(line) {
                Ok((name, _)) if hashes.contains_key(name) => {
                    problems.push(format!("line {number}: its name is there already"));
                }
                Ok((name, hash)) => drop(hashes.insert(name.to_owned(), hash)),
                Err(problem) => problems.push(format!("line {number}: {problem}")),
            }
        }
        if problems.is_empty() && hashes.is_empty() {
            problems.push("there is nobody in it".to_owned());
        }
        if problems.is_empty() {
            let names = hashes.keys().cloned().collect();
            return Ok(Users { hashes, names });
        }
        let more = problems.len().saturating_sub(MOST_PROBLEMS);
        problems.truncate(MOST_PROBLEMS);
        if more > 0 {
            problems.push(format!("and {more} more lines"));
        }
        Err(problems.join("; "))
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns the hash of a user's password.
    pub fn hash(&self, name: &str) -> Option<&Hash> {
        self.hashes.get(name)
    }

    /// Tells whether this is the user's password. For a name that nobody has it takes as long as for somebody, always
    /// the same one for that name, so that the time does not tell who there is.
    pub fn check(&self, name: &str, password: &str, shown: Fingerprint) -> bool {
        let known = self.hash(name);
        let other = self.names.get(shown.choose(self.names.len().max(1)));
        match known.or(other.and_then(|name| self.hash(name))) {
            Some(hash) => hash.matches(password) && known.is_some(),
            None => false,
        }
    }
}

/// Reads one line.
fn user(line: &str) -> Result<(&str, Hash), &'static str> {
    let (name, hash) = line.trim_end().split_once(':').ok_or("it has no colon between name and hash")?;
    if !is_name(name) || name.len() > 256 {
        return Err("its name is empty, too long, reserved or has control characters");
    }
    Ok((name, Hash::read(hash)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::fingerprint::Fingerprints;

    fn line(name: &str, password: &str) -> String {
        format!("{name}:{}\n", bcrypt::hash(password, 4).unwrap())
    }

    #[test]
    fn users_are_read_and_checked() {
        let text = format!("# comment\n\n{}\r\n{}", line("alice", "a").trim_end(), line("bob", "b"));
        let users = Users::read(&text).unwrap_or_else(|problem| panic!("{problem}"));
        let shown = Fingerprints::new().unwrap().of(&["x"]);
        assert_eq!(users.len(), 2);
        for (name, password, right) in [
            ("alice", "a", true),
            ("bob", "b", true),
            ("alice", "b", false),
            ("carol", "a", false),
            ("carol", "b", false),
            ("", "a", false),
        ] {
            assert_eq!(users.check(name, password, shown), right, "{name} {password}");
        }
    }

    #[test]
    fn every_bad_line_is_named_and_none_is_quoted() {
        let text = format!("hunter2\n{}bob:hunter2\n{}ANONYMOUS:x\n:y\n", line("alice", "a"), line("alice", "b"));
        let problem = Users::read(&text).err().expect("it is bad");
        assert_eq!(
            problem,
            "line 1: it has no colon between name and hash; \
             line 3: its hash is neither bcrypt ($2y$, $2b$, $2a$) nor argon2 ($argon2id$); \
             line 4: its name is there already; \
             line 5: its name is empty, too long, reserved or has control characters; \
             line 6: its name is empty, too long, reserved or has control characters"
        );
    }

    #[test]
    fn a_message_has_an_end() {
        let problem = Users::read(&"x\n".repeat(1000)).err().expect("it is bad");
        assert!(problem.len() < 2000 && problem.ends_with("and 980 more lines"), "{problem}");
    }

    #[test]
    fn a_file_without_users_is_bad() {
        for text in ["", "\n", "# nobody\n"] {
            assert_eq!(Users::read(text).err().as_deref(), Some("there is nobody in it"));
        }
    }
}
