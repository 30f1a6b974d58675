use std::collections::HashMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use log::info;

use crate::config::Consumer as ConsumerConfig;
use crate::domain::consume::instance::{Instance, Settings};
use crate::error::{Kind, Result};
use crate::memory;
use crate::model::Principal;

/// How often expired instances are looked for.
const SWEEP_EVERY: Duration = Duration::from_millis(500);

/// Closing waits for the group's coordinator; so many at a time keep shutdown short.
const PARALLEL_CLOSES: usize = 32;

/// How long the deletion of an instance waits until it has left its group.
pub(super) const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// The instances of this process, bounded in number and age; each is its owner's, and nobody else finds it.
pub struct Instances {
    map: Arc<Mutex<Map>>,
    max_instances: usize,
    max_per_group: usize,
    max_per_principal: usize,
    /// Dropping the sender ends the thread.
    sweeper: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
}

type Map = HashMap<Principal, Groups>;
type Groups = HashMap<String, HashMap<String, Arc<Instance>>>;

impl Instances {
    /// Returns an empty registry; its own thread ends instances that nobody uses.
    pub fn new(config: &ConsumerConfig) -> Instances {
        let map: Arc<Mutex<Map>> = Arc::default();
        let (stop, stopped) = channel();
        let (swept, timeout) = (Arc::clone(&map), config.instance_timeout);
        let sweep = move || {
            while stopped.recv_timeout(SWEEP_EVERY) == Err(RecvTimeoutError::Timeout) {
                let expired = take_expired(&swept, timeout);
                for instance in &expired {
                    info!("consumer {}/{} expired: nobody used it for {timeout:?}", instance.group, instance.name);
                }
                close_each(expired);
                memory::trim();
            }
        };
        let thread = std::thread::Builder::new().name("instance-sweeper".to_string()).spawn(sweep);
        if let Err(error) = &thread {
            log::error!("instances will not expire: no thread for it: {error}");
        }
        Instances {
            map,
            max_instances: config.max_instances,
            max_per_group: config.max_instances_per_group,
            max_per_principal: config.max_instances_per_principal,
            sweeper: Mutex::new(thread.ok().map(|thread| (stop, thread))),
        }
    }

    /// Adds an instance; 409 where its owner has one of that name in the group, 429 where there are too many.
    ///
    /// Those whom nobody knows by name are one owner, who may fill the table; one with a name has a share of it.
    pub fn create(&self, owner: &Principal, group: String, name: String, settings: Settings) -> Result<Arc<Instance>> {
        let mut map = lock(&self.map);
        let all: usize = map.values().map(count).sum();
        let own = map.get(owner);
        let members = own.and_then(|groups| groups.get(&group));
        if members.is_some_and(|members| members.contains_key(&name)) {
            return Err(Kind::InstanceExists.into());
        }
        if all >= self.max_instances || members.map_or(0, HashMap::len) >= self.max_per_group {
            return Err(Kind::TooManyInstances.into());
        }
        if !owner.is_anonymous() && own.map_or(0, count) >= self.max_per_principal {
            return Err(Kind::TooManyInstances
                .because("You have as many consumer instances as one caller may have; delete those not needed."));
        }
        let instance = Arc::new(Instance::new(owner.clone(), group.clone(), name.clone(), settings));
        map.entry(owner.clone()).or_default().entry(group).or_default().insert(name, Arc::clone(&instance));
        Ok(instance)
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        lock(&self.map).values().flat_map(HashMap::values).map(HashMap::len).sum()
    }

    /// Returns an instance; 40403 where its owner has none of that name, whoever else does.
    pub fn find(&self, owner: &Principal, group: &str, name: &str) -> Result<Arc<Instance>> {
        let map = lock(&self.map);
        let members = map.get(owner).and_then(|groups| groups.get(group));
        let found = members.and_then(|members| members.get(name)).cloned();
        found.ok_or_else(|| Kind::InstanceNotFound.into())
    }

    /// Removes an instance and closes it: reads that wait end, it leaves its group.
    ///
    /// It is gone at once; where no broker answers, leaving the group goes on after the answer.
    pub async fn delete(&self, owner: &Principal, group: &str, name: &str) -> Result<()> {
        let removed = remove(&mut lock(&self.map), owner, group, name).ok_or(Kind::InstanceNotFound)?;
        removed.begin_close();
        let closing = tokio::task::spawn_blocking(move || removed.close());
        match tokio::time::timeout(CLOSE_WAIT, closing).await {
            Ok(closed) => closed.map_err(|stopped| Kind::Internal.caused_by(stopped)),
            Err(_) => Ok(()),
        }
    }

    /// Ends the reads that wait, with what they have; the process is about to end.
    pub fn end_waits(&self) {
        lock(&self.map).values().flat_map(instances).for_each(|instance| instance.end_waits());
    }

    /// Closes every instance; blocks until all have left their groups.
    pub fn close_all(&self) {
        if let Some((stop, thread)) = lock(&self.sweeper).take() {
            drop(stop);
            let _ = thread.join();
        }
        let map = std::mem::take(&mut *lock(&self.map));
        let all: Vec<_> = map.values().flat_map(instances).cloned().collect();
        if all.is_empty() {
            return;
        }
        info!("closing {} consumers", all.len());
        all.iter().for_each(|instance| instance.begin_close());
        close_each(all);
    }
}

/// Closes instances, some at a time; blocks until all have left their groups.
fn close_each(instances: Vec<Arc<Instance>>) {
    let threads = instances.len().min(PARALLEL_CLOSES);
    let queue = Mutex::new(instances);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(instance) = take_last(&queue) {
                    instance.close();
                }
            });
        }
    });
}

fn take_last(queue: &Mutex<Vec<Arc<Instance>>>) -> Option<Arc<Instance>> {
    lock(queue).pop()
}

fn take_expired(map: &Mutex<Map>, timeout: Duration) -> Vec<Arc<Instance>> {
    let mut map = lock(map);
    let all = map.values().flat_map(instances);
    let expired: Vec<_> = all.filter(|instance| instance.idle() > timeout).cloned().collect();
    expired.iter().filter_map(|gone| remove(&mut map, &gone.owner, &gone.group, &gone.name)).collect()
}

fn instances(groups: &Groups) -> impl Iterator<Item = &Arc<Instance>> {
    groups.values().flat_map(HashMap::values)
}

fn count(groups: &Groups) -> usize {
    groups.values().map(HashMap::len).sum()
}

/// Takes an instance out, and what is empty without it.
fn remove(map: &mut Map, owner: &Principal, group: &str, name: &str) -> Option<Arc<Instance>> {
    let groups = map.get_mut(owner)?;
    let members = groups.get_mut(group)?;
    let removed = members.remove(name);
    if members.is_empty() {
        groups.remove(group);
    }
    if groups.is_empty() {
        map.remove(owner);
    }
    removed
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
