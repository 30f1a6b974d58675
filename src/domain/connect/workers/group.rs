use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::admin::{Admin, Code};
use crate::config::ConnectCluster;
use crate::model::ConnectGroup;

/// How long Kafka is waited for before its answer counts as none.
const KAFKA_LIMIT: Duration = Duration::from_secs(5);
/// Connect groups that are looked through to find the one of a cluster.
const MOST_GROUPS: usize = 100;

/// The group of a cluster's workers in Kafka.
pub struct Group {
    admin: Arc<Admin>,
    /// Empty is found.
    configured_id: String,
    found_id: Option<String>,
    urls: Vec<String>,
    url_rewrite: Vec<(String, String)>,
}

impl Group {
    pub(super) fn new(admin: &Arc<Admin>, settings: &ConnectCluster) -> Group {
        Group {
            admin: Arc::clone(admin),
            configured_id: settings.group_id.clone(),
            found_id: None,
            urls: settings.remote.urls.clone(),
            url_rewrite: settings.url_rewrite.clone(),
        }
    }

    /// Asks Kafka about the group; its URLs are those to use. The error is a sentence for operators.
    pub(super) async fn ask(&mut self) -> Result<ConnectGroup, String> {
        match timeout(KAFKA_LIMIT, self.find()).await {
            Ok(found) => found,
            Err(_) => Err(format!("kafka does not tell of its group within {KAFKA_LIMIT:?}")),
        }
    }

    async fn find(&mut self) -> Result<ConnectGroup, String> {
        let known = Some(&self.configured_id).filter(|id| !id.is_empty()).or(self.found_id.as_ref());
        match known {
            Some(id) => {
                let described = self.admin.connect_group(id).await;
                let is_unknown = described.as_ref().err().and_then(Code::of) == Some(Code::GROUP_ID_NOT_FOUND);
                if is_unknown {
                    self.found_id = None;
                }
                described.map(|group| self.usable(group)).map_err(|error| error.log_line())
            }
            None => self.search().await,
        }
    }

    /// Looks for the group that one of the configured URLs is a member of.
    async fn search(&mut self) -> Result<ConnectGroup, String> {
        let ids = self.admin.connect_groups().await.map_err(|error| error.log_line())?;
        for id in ids.iter().take(MOST_GROUPS) {
            // Others may be hidden from this proxy, or go while it looks.
            let Ok(group) = self.admin.connect_group(id).await else { continue };
            let group = self.usable(group);
            if group.workers.iter().any(|worker| self.urls.contains(&worker.url)) {
                self.found_id = Some(id.clone());
                return Ok(group);
            }
        }
        Err("no group in kafka has a worker that advertises one of its urls: set group_id".to_owned())
    }

    /// Puts the URLs to use in the place of those that workers advertise.
    fn usable(&self, mut group: ConnectGroup) -> ConnectGroup {
        for worker in &mut group.workers {
            worker.url = rewritten(&worker.url, &self.url_rewrite);
        }
        group.leader_url = group.leader_url.map(|url| rewritten(&url, &self.url_rewrite));
        group
    }
}

fn rewritten(url: &str, rules: &[(String, String)]) -> String {
    let url = url.trim_end_matches('/');
    rules.iter().find(|(from, _)| from == url).map_or(url, |(_, to)| to).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advertised_url_is_written_as_ours_are() {
        let rules = [("http://inside:1".to_owned(), "http://outside:2".to_owned())];
        assert_eq!(rewritten("http://inside:1/", &rules), "http://outside:2");
        assert_eq!(rewritten("http://inside:11/", &rules), "http://inside:11");
    }
}
