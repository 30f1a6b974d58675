use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use crate::cache::Cache;
use crate::domain::connect::secrets::{Passwords, Plugin};

/// The keys that a plugin's definition types PASSWORD; `None` where the worker has no definition.
type Typed = Option<Arc<[Box<str>]>>;

/// Class and version.
type Name = (Box<str>, Option<Box<str>>);

/// What the definitions of plugins type PASSWORD, asked for once and kept for a while.
///
/// Bounded in number; of each only these keys are kept.
pub struct Definitions {
    max_age: Duration,
    typed: Cache<Name, Typed, NotAnswered>,
}

/// No worker told what a plugin's definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnswered;

#[derive(Deserialize)]
struct Definition {
    name: Box<str>,
    #[serde(rename = "type")]
    kind: Box<str>,
}

impl Definitions {
    /// Returns a cache of up to `max` plugins, each asked for again after `max_age`.
    pub fn new(max: usize, max_age: Duration) -> Definitions {
        Definitions { max_age, typed: Cache::new(max) }
    }

    /// Returns the passwords of a config that names these plugins.
    ///
    /// `fetch` returns the worker's list of definitions for a class, an alias or neither at a version: `None` where it
    /// has none, which is kept too; an error is not kept. Callers that ask for one plugin at a time share one fetch.
    pub async fn passwords<F: Future<Output = Result<Option<Bytes>, NotAnswered>>>(
        &self,
        plugins: &[Plugin],
        fetch: impl Fn(Box<str>, Option<Box<str>>) -> F,
    ) -> Result<Passwords, NotAnswered> {
        let mut passwords = Passwords::default();
        for plugin in plugins {
            let typed = match plugin.class.clone() {
                None => None,
                Some(class) => {
                    let name = (class.clone(), plugin.version.clone());
                    let fetched =
                        async || Ok(fetch(class, plugin.version.clone()).await?.and_then(|list| typed(&list)));
                    self.typed.get(&name, |_| self.max_age, fetched).await?
                }
            };
            passwords.add(plugin, typed.as_deref());
        }
        Ok(passwords)
    }
}

/// Reads a list of definitions; `None` where it is none.
fn typed(list: &[u8]) -> Typed {
    let definitions: Vec<Definition> = serde_json::from_slice(list).ok()?;
    Some(definitions.into_iter().filter(|definition| &*definition.kind == "PASSWORD").map(|found| found.name).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LIST: &str = r#"[{"name":"pin","type":"PASSWORD","required":true},{"name":"file","type":"STRING"}]"#;

    fn plugin(class: &str) -> Plugin {
        Plugin { class: Some(class.into()), version: None, prefix: "".into() }
    }

    async fn asked(definitions: &Definitions, class: &str, count: &AtomicUsize) -> Result<Passwords, NotAnswered> {
        let fetch = async |class: Box<str>, _: Option<Box<str>>| {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            match &*class {
                "Broken" => Err(NotAnswered),
                "Unknown" => Ok(None),
                "Odd" => Ok(Some("{}".into())),
                _ => Ok(Some(LIST.into())),
            }
        };
        definitions.passwords(&[plugin(class)], fetch).await
    }

    #[tokio::test]
    async fn a_definition_is_asked_for_once() {
        let (definitions, count) = (Definitions::new(10, Duration::from_secs(600)), AtomicUsize::new(0));
        let (first, second) = tokio::join!(asked(&definitions, "A", &count), asked(&definitions, "A", &count));
        for passwords in [first.unwrap(), second.unwrap(), asked(&definitions, "A", &count).await.unwrap()] {
            assert!(passwords.has("pin") && !passwords.has("file"));
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_is_no_definition_makes_every_value_a_secret() {
        let (definitions, count) = (Definitions::new(10, Duration::from_secs(600)), AtomicUsize::new(0));
        for class in ["Unknown", "Odd", "Unknown"] {
            assert!(asked(&definitions, class, &count).await.unwrap().has("file"));
        }
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let (definitions, count) = (Definitions::new(10, Duration::from_secs(600)), AtomicUsize::new(0));
        for _ in 0..2 {
            assert!(asked(&definitions, "Broken", &count).await.is_err());
        }
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }
}
