//! Several instances of which one acts at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kafka_rest_proxy::admin::{Admin, Lease};
use kafka_rest_proxy::config::Config;
use kafka_rest_proxy::model::{GroupDescription, GroupState};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::harness::kafka::{self, Broker, OwnOptions};
use crate::harness::unique;
use crate::harness::waiting::{PATIENCE, eventually};

/// An instance of a fleet.
struct Instance {
    admin: Arc<Admin>,
    lease: Arc<Lease>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Instance {
    fn start(bootstrap: &str, group: &str) -> Instance {
        let mut config = Config::for_bootstrap(bootstrap);
        // Shorter than what JoinGroup waits for a member that died.
        config.kafka.request_timeout = Duration::from_secs(3);
        let admin = Arc::new(Admin::new(&config));
        let lease = Arc::new(Lease::new(Arc::clone(&admin), group));
        let (stop, stopped) = oneshot::channel();
        let run = Arc::clone(&lease);
        let task = tokio::spawn(async move { run.run(async { drop(stopped.await) }).await });
        Instance { admin, lease, stop: Some(stop), task }
    }

    async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.task).await.unwrap();
        assert!(!self.lease.is_held());
    }

    /// Ends it as a crash does: nobody leaves the group.
    async fn crash(self) -> Arc<Lease> {
        self.task.abort();
        assert!(self.task.await.is_err());
        self.lease
    }
}

/// Watches leases without a pause.
struct Watch {
    done: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<usize>,
}

impl Watch {
    fn over(leases: Vec<Arc<Lease>>) -> Watch {
        let done = Arc::new(AtomicBool::new(false));
        let is_done = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            let mut shared = 0;
            while !is_done.load(Ordering::Relaxed) {
                let held: Vec<_> = leases.iter().filter(|lease| lease.is_held()).collect();
                // Not where the first was given back between two looks.
                if held.len() > 1 && held[0].is_held() {
                    shared += 1;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            shared
        });
        Watch { done, thread }
    }

    fn never_saw_two(self) {
        self.done.store(true, Ordering::Relaxed);
        assert_eq!(self.thread.join().unwrap(), 0, "two held the lease at once");
    }
}

/// Waits until exactly one instance holds the lease, and takes it out.
async fn holder(instances: &mut Vec<Instance>) -> Instance {
    let holder = eventually("one holds the lease", PATIENCE, async || {
        let is_held = |at: &usize| instances[*at].lease.is_held();
        let held: Vec<_> = (0..instances.len()).filter(is_held).collect();
        (held.len() == 1).then(|| held[0])
    })
    .await;
    instances.remove(holder)
}

fn watch(instances: &[Instance]) -> Watch {
    Watch::over(instances.iter().map(|instance| Arc::clone(&instance.lease)).collect())
}

/// Returns the group as an instance's own client sees it; `None` while there is none, or no coordinator.
async fn described(instance: &Instance, group: &str) -> Option<GroupDescription> {
    instance.admin.describe_groups(&[group.to_owned()], false).await.ok()?.remove(0).1.ok()
}

/// Returns the state of the group and how many members it has; the coordinator has to answer.
async fn members(instance: &Instance, group: &str) -> (GroupState, usize) {
    let described = described(instance, group).await.expect("the coordinator answers");
    (described.state, described.members.len())
}

async fn until_stable_with(count: usize, instance: &Instance, group: &str) -> GroupDescription {
    eventually("all have joined", PATIENCE, async || {
        let found = described(instance, group).await?;
        (found.state == GroupState::Stable && found.members.len() == count).then_some(found)
    })
    .await
}

#[tokio::test]
async fn one_of_three_acts_and_another_takes_over_when_it_stops_or_dies() {
    let (bootstrap, group) = (&kafka::shared().bootstrap, unique("fleet"));
    let mut instances: Vec<_> = (0..3).map(|_| Instance::start(bootstrap, &group)).collect();
    let watch = watch(&instances);
    until_stable_with(3, &instances[0], &group).await;
    holder(&mut instances).await.stop().await;
    let died = holder(&mut instances).await.crash().await;
    let last = holder(&mut instances).await;
    assert!(!died.is_held() && members(&last, &group).await.1 == 1);
    last.stop().await;
    watch.never_saw_two();
}

#[tokio::test]
async fn who_acts_goes_on_while_others_come_and_go() {
    let (bootstrap, group) = (&kafka::shared().bootstrap, unique("fleet"));
    let first = Instance::start(bootstrap, &group);
    eventually("the first acts", PATIENCE, async || first.lease.is_held().then_some(())).await;
    for _ in 0..2 {
        let second = Instance::start(bootstrap, &group);
        eventually("the second has joined", PATIENCE, async || {
            assert!(!second.lease.is_held());
            (members(&first, &group).await == (GroupState::Stable, 2) && first.lease.is_held()).then_some(())
        })
        .await;
        second.stop().await;
        eventually("the first is alone", PATIENCE, async || {
            (members(&first, &group).await == (GroupState::Stable, 1) && first.lease.is_held()).then_some(())
        })
        .await;
    }
    first.stop().await;
}

#[tokio::test]
async fn other_requests_do_not_wait_for_members_that_died() {
    let (bootstrap, group) = (&kafka::shared().bootstrap, unique("fleet"));
    let (dies, lives) = (Instance::start(bootstrap, &group), Instance::start(bootstrap, &group));
    until_stable_with(2, &lives, &group).await;
    dies.crash().await;
    // Who comes lets the group rebalance, which waits for the one that died.
    let comes = Instance::start(bootstrap, &group);
    eventually("the group rebalances", PATIENCE, async || {
        (members(&lives, &group).await.0 == GroupState::PreparingRebalance).then_some(())
    })
    .await;
    // Each of these would fail behind a JoinGroup that waits: it waits for longer than they have time.
    let mut answered = 0;
    eventually("the group is stable", PATIENCE, async || {
        answered += 1;
        (members(&lives, &group).await == (GroupState::Stable, 2)).then_some(())
    })
    .await;
    assert!(answered > 1);
    let mut instances = vec![lives, comes];
    holder(&mut instances).await.stop().await;
    holder(&mut instances).await.stop().await;
}

#[tokio::test]
async fn a_coordinator_that_says_nothing_or_dies_lets_nobody_act_until_another_is_there() {
    let mut brokers = Broker::start_cluster(3, OwnOptions::default());
    let (bootstrap, group) = (brokers[0].kafka().bootstrap.clone(), unique("fleet"));
    let mut instances: Vec<_> = (0..2).map(|_| Instance::start(&bootstrap, &group)).collect();
    let watch = watch(&instances);
    let coordinator = until_stable_with(2, &instances[0], &group).await.coordinator.unwrap();
    let held = || instances.iter().filter(|instance| instance.lease.is_held()).count();
    eventually("somebody acts", PATIENCE, async || (held() == 1).then_some(())).await;

    let index = usize::try_from(coordinator).unwrap() - 1;
    brokers[index].pause();
    // The other brokers take its place when its session has ended.
    eventually("nobody acts, or another coordinator is there", PATIENCE, async || {
        let found = described(&instances[0], &group).await;
        (held() == 0 || found.is_some_and(|found| found.coordinator != Some(coordinator))).then_some(())
    })
    .await;
    eventually("somebody acts again", PATIENCE, async || (held() == 1).then_some(())).await;
    brokers[index].resume();
    let coordinator = eventually("it is told who coordinates", PATIENCE, async || {
        described(&instances[0], &group).await?.coordinator
    })
    .await;
    brokers[usize::try_from(coordinator).unwrap() - 1].kill();
    eventually("another coordinator is there", PATIENCE, async || {
        described(&instances[0], &group)
            .await
            .filter(|found| found.coordinator != Some(coordinator) && found.state == GroupState::Stable)
    })
    .await;
    holder(&mut instances).await.stop().await;
    holder(&mut instances).await.stop().await;
    watch.never_saw_two();
}
