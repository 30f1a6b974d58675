/// The state of a connector or a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the words of Kafka Connect")]
pub enum State {
    Running,
    Paused,
    Stopped,
    Failed,
    Unassigned,
    Restarting,
    /// One that this version does not know.
    Other,
}

impl State {
    /// Every state, in the order of the counts.
    pub const ALL: [State; 7] = [
        State::Running,
        State::Paused,
        State::Stopped,
        State::Failed,
        State::Unassigned,
        State::Restarting,
        State::Other,
    ];

    /// Returns what Kafka Connect calls it.
    pub fn name(self) -> &'static str {
        match self {
            State::Running => "RUNNING",
            State::Paused => "PAUSED",
            State::Stopped => "STOPPED",
            State::Failed => "FAILED",
            State::Unassigned => "UNASSIGNED",
            State::Restarting => "RESTARTING",
            State::Other => "OTHER",
        }
    }

    /// Returns the state of this name, in any case.
    pub fn named(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn of(name: &str) -> State {
        State::named(name).unwrap_or(State::Other)
    }
}

/// How many are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States([u64; State::ALL.len()]);

impl States {
    pub(super) fn add(&mut self, state: State) {
        self.0[state as usize] += 1;
    }

    /// Returns how many are in a state.
    pub fn count(&self, state: State) -> u64 {
        self.0[state as usize]
    }

    /// Returns how many there are.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_counted_in_its_own_place() {
        for (place, state) in State::ALL.into_iter().enumerate() {
            assert_eq!((state as usize, State::named(&state.name().to_lowercase())), (place, Some(state)));
        }
        let mut states = States::default();
        states.add(State::of("FAILED"));
        states.add(State::of("DESTROYED"));
        assert_eq!((states.count(State::Failed), states.count(State::Other), states.total()), (1, 1, 2));
    }
}
