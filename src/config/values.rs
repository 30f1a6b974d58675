use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

/// Returns the number of bytes that `64MiB`, `1MB`, `512KiB` or `100` stand for.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Returns the permissions that `0660` stands for.
pub(super) fn mode(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    u32::from_str_radix(text, 8).ok().filter(|mode| digits && *mode <= 0o777)
}

/// Returns the addresses in `HOST:PORT,..`, or nothing if one of them is none.
pub(super) fn addresses(text: &str, ports: &RangeInclusive<u16>) -> Option<Vec<String>> {
    text.split(',').map(str::trim).map(|item| is_address(item, ports).then(|| item.to_owned())).collect()
}

pub(super) fn is_address(text: &str, ports: &RangeInclusive<u16>) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let host_is_good = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inside) => inside.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
    };
    let port_is_good = match port.parse() {
        Ok(number) => ports.contains(&number) && !port.starts_with('+'),
        Err(_) => false,
    };
    host_is_good && port_is_good
}

/// Returns whether `text` is a filter of `env_logger` that names a level in each part.
///
/// A lone target means all of its records to `env_logger`; here it is refused, because it is rather a misspelt level
/// and would silence the log. `target=trace` says the same.
pub(super) fn is_log_filter(text: &str) -> bool {
    let (directives, _regex) = text.split_once('/').unwrap_or((text, ""));
    directives.split(',').all(|directive| {
        let level = directive.rsplit_once('=').map_or(directive, |(_target, level)| level);
        level.trim().parse::<log::LevelFilter>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_or_without_a_unit() {
        let cases = [
            ("100", Some(100)),
            ("0", Some(0)),
            ("1MB", Some(1_000_000)),
            ("512KiB", Some(512 << 10)),
            ("64MiB", Some(64 << 20)),
            ("2 gib", Some(2 << 30)),
            ("", None),
            ("MiB", None),
            ("-1", None),
            ("1.5MiB", None),
            ("64M", None),
            ("99999999999GiB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(size(text), expected, "{text:?}");
        }
    }

    #[test]
    fn permissions_are_octal() {
        assert_eq!((mode("0660"), mode("777")), (Some(0o660), Some(0o777)));
        for bad in ["", "1777", "0680", "+660", "rw"] {
            assert_eq!(mode(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for good in ["localhost:9092", "10.0.0.1:1", "kafka-0.kafka_svc.local:65535", "[::1]:9092"] {
            assert!(is_address(good, &(1..=65535)), "{good:?}");
        }
        for bad in ["", ":9092", "kafka", "kafka:", "kafka:0", "kafka:65536", "kafka:+1", "::1:9092", "[kafka]:1"] {
            assert!(!is_address(bad, &(1..=65535)), "{bad:?}");
        }
        assert!(!is_address("PLAINTEXT://kafka:9092", &(1..=65535)));
    }

    #[test]
    fn one_bad_address_spoils_the_list() {
        assert_eq!(addresses("a:1, b:2", &(1..=9)), Some(vec!["a:1".to_owned(), "b:2".to_owned()]));
        assert_eq!(addresses("a:1,b", &(1..=9)), None);
        assert_eq!(addresses("a:1,", &(1..=9)), None);
    }

    #[test]
    fn a_log_filter_names_levels() {
        for good in ["info", "WARN", "off", "warn,kafka_rest_proxy::http=debug", "info/produce"] {
            assert!(is_log_filter(good), "{good:?}");
        }
        for bad in ["", "inof", "info,", "actix_web", "actix_web=loud"] {
            assert!(!is_log_filter(bad), "{bad:?}");
        }
    }
}
