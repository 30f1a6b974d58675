/// Returns the setting that was probably meant by `key`: the same name elsewhere, or at most two letters off.
pub(super) fn nearest<'a>(key: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, nearest) = known.map(|known| (distance(key, known), known)).min()?;
    (distance <= 2).then_some(nearest)
}

fn distance(key: &str, known: &str) -> usize {
    if letters(name(key)) == letters(name(known)) {
        return 0;
    }
    edits(&letters(key), &letters(known))
}

fn name(key: &str) -> &str {
    key.split_once('.').map_or(key, |(_section, name)| name)
}

/// Leaves out what separates words, so that `bootstrap.servers` and `bootstrapServers` are `bootstrap_servers`.
fn letters(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect()
}

/// Levenshtein's distance.
fn edits(from: &[u8], to: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, from_byte) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to_byte) in to.iter().enumerate() {
            let substituted = diagonal + usize::from(from_byte != to_byte);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_setting_is_suggested_unless_it_is_far() {
        let known = ["kafka.bootstrap_servers", "producer.linger", "server.listen"];
        let cases = [
            ("bootstrap_servers", Some("kafka.bootstrap_servers")),
            ("kafka.bootstrap.servers", Some("kafka.bootstrap_servers")),
            ("kafka_bootstrap_servers", Some("kafka.bootstrap_servers")),
            ("server.linger", Some("producer.linger")),
            ("sever.lisen", Some("server.listen")),
            ("server.port", None),
        ];
        for (key, expected) in cases {
            assert_eq!(nearest(key, known.into_iter()), expected, "{key:?}");
        }
    }
}
