use std::sync::Arc;

use crate::model::{Right, Subject};
use crate::rules::Table;

/// What somebody may do to many things, such as what of a list they see.
#[derive(Clone)]
pub struct View {
    /// The rules, and the places of theirs; `None` shows everything.
    theirs: Option<(Arc<Table>, Vec<usize>)>,
    right: Right,
}

impl View {
    pub(super) fn new(theirs: Option<(Arc<Table>, Vec<usize>)>, right: Right) -> View {
        View { theirs, right }
    }

    /// Tells whether there is nothing that it does not show.
    pub fn shows_all(&self) -> bool {
        self.theirs.is_none()
    }

    /// Tells whether they may do it to this one.
    pub fn shows(&self, subject: Subject<'_>) -> bool {
        let Some((table, places)) = &self.theirs else { return true };
        places.iter().any(|place| table[*place].allows(self.right, subject))
    }
}
