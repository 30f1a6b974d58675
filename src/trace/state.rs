/// The most members of a list, and the most characters that are passed on.
const MOST_MEMBERS: usize = 32;
const MOST_CHARS: usize = 512;

/// Returns a `tracestate` of these header lines as it is passed on; `None` where there is none, or it is not what the
/// specification says: then it is dropped, and the trace goes on without it.
pub fn tracestate<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let members: Vec<&str> =
        lines.flat_map(|line| line.split(',')).map(|member| member.trim_matches([' ', '\t'])).collect();
    let members: Vec<&str> = members.into_iter().filter(|member| !member.is_empty()).collect();
    let keys: Vec<&str> = members.iter().filter_map(|member| key(member)).collect();
    let is_unique = (1..keys.len()).all(|at| !keys[..at].contains(&keys[at]));
    let text = members.join(",");
    let is_good = keys.len() == members.len() && is_unique && (1..=MOST_MEMBERS).contains(&members.len());
    (is_good && text.len() <= MOST_CHARS).then_some(text)
}

/// Returns the key of a member that is `key=value`.
fn key(member: &str) -> Option<&str> {
    let (key, value) = member.split_once('=')?;
    let is_value = |c: u8| matches!(c, 0x20..=0x7e) && c != b'=' && c != b',';
    let value_is_good = !value.is_empty() && value.len() <= 256 && value.bytes().all(is_value);
    let key_is_good = match key.split_once('@') {
        None => is_name(key, 256),
        Some((tenant, system)) => is_name_of_tenant(tenant) && is_name(system, 14),
    };
    (key_is_good && value_is_good).then_some(key)
}

fn is_name(text: &str, most: usize) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= most && text.bytes().all(is_name_char)
}

fn is_name_of_tenant(text: &str) -> bool {
    let begins = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(begins) && text.len() <= 241 && text.bytes().all(is_name_char)
}

fn is_name_char(c: u8) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-' | b'*' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_lines_are_one_list() {
        let read = |lines: &[&str]| tracestate(lines.iter().copied());
        assert_eq!(read(&["a=1, b=2", "t1@sys=3"]).as_deref(), Some("a=1,b=2,t1@sys=3"));
        assert_eq!(read(&["a=1,,", ""]).as_deref(), Some("a=1"));
        assert_eq!(read(&[]), None);
        for bad in ["a", "=1", "a=", "A=1", "a=1=2", "a=1,a=2", "1a=1", "@a=1", "a@=1", "a@B=1", "a=é", "a b=1"] {
            assert_eq!(read(&[bad]), None, "{bad}");
        }
        let many: Vec<String> = (0..33).map(|n| format!("k{n}=1")).collect();
        assert_eq!(read(&[&many.join(",")]), None);
        assert!(read(&[&many[..32].join(",")]).is_some());
        let long: Vec<String> = (0..5).map(|n| format!("k{n}={}", "x".repeat(120))).collect();
        assert_eq!(read(&[&long.join(",")]), None);
    }
}
