use super::binary::write_size;
use super::encode::{Encoder, Mode, Result};
use super::node::{Branch, Logical, Node, NodeId, Union};
use crate::format::schema::Mismatch;

impl<'a> Encoder<'a> {
    pub(super) fn union(&mut self, union: &'a Union) -> Result<()> {
        match self.mode {
            Mode::Strict => self.tagged(union),
            Mode::Lenient => self.lenient(union),
            Mode::Default => self.untagged(union),
        }
    }

    /// Writes null, or the value in an object of which the only member is called like the branch.
    fn tagged(&mut self, union: &'a Union) -> Result<()> {
        let start = self.cursor.place();
        if self.cursor.peek() == b'n' {
            return match union.null {
                Some(index) => self.branch(index, union.branches[index].node),
                None => self.mismatch(self.advice(union, b'n')),
            };
        }
        let Some((index, name)) = self.tag(union)? else {
            self.cursor.go_to(start);
            let first = self.cursor.peek();
            return self.mismatch(self.advice(union, first));
        };
        self.branch(index, union.branches[index].node).map_err(|mismatch| mismatch.in_member(name))?;
        if self.cursor.take(b'}') {
            return Ok(());
        }
        Err(Mismatch::new(format!("an object with the one member \"{name}\""), "an object with more members"))
    }

    /// Takes what opens a tagged value, if it does.
    fn tag(&mut self, union: &'a Union) -> Result<Option<(usize, &'a str)>> {
        if !self.cursor.take(b'{') || self.cursor.peek() != b'"' {
            return Ok(None);
        }
        let name = self.name()?;
        let index = union.index.get(&*name).copied();
        Ok(index.map(|index| (index, &*union.branches[index].tag)))
    }

    fn branch(&mut self, index: usize, node: NodeId) -> Result<()> {
        write_size(index, self.out);
        self.value(node)
    }

    /// Writes a tagged value, or the one branch that fits.
    fn lenient(&mut self, union: &'a Union) -> Result<()> {
        let (start, base) = (self.cursor.place(), self.out.len());
        if self.cursor.peek() != b'{' {
            return self.untagged(union);
        }
        let has_tag = matches!(self.tag(union), Ok(Some(_)));
        self.cursor.go_to(start);
        let could_be_untagged = union.branches.iter().any(|branch| self.takes(branch.node, b'{'));
        if !could_be_untagged {
            return self.tagged(union);
        }
        if !has_tag {
            return self.untagged(union);
        }
        let Err(mismatch) = self.tagged(union) else { return Ok(()) };
        self.give_back(start, base)?;
        self.untagged(union).map_err(|_| mismatch)
    }

    /// Writes a value that has no tag: the only branch that fits, or the first one of those that a default fits.
    fn untagged(&mut self, union: &'a Union) -> Result<()> {
        let first = self.cursor.peek();
        let mut candidates = union.branches.iter().enumerate().filter(|(_, branch)| self.takes(branch.node, first));
        match (candidates.next(), candidates.next()) {
            (None, _) => self.mismatch(self.advice(union, first)),
            (Some((index, branch)), None) => self.branch(index, branch.node),
            (Some(_), Some(_)) => self.try_all(union, first),
        }
    }

    /// Tries each of the branches that could fit; the output of the first that does stays.
    fn try_all(&mut self, union: &'a Union, first: u8) -> Result<()> {
        let (start, base) = (self.cursor.place(), self.out.len());
        let mut fitting: Option<(usize, usize)> = None;
        for (index, branch) in union.branches.iter().enumerate() {
            if !self.takes(branch.node, first) {
                continue;
            }
            let attempt = self.out.len();
            let was_exact = std::mem::replace(&mut self.is_exact, true);
            let fits = self.branch(index, branch.node).is_ok();
            self.is_exact = was_exact;
            if fits && self.mode == Mode::Default {
                return Ok(());
            }
            if fits && fitting.is_some() {
                self.give_back(start, base)?;
                return Err(Mismatch::new(self.advice(union, first), "a value that fits more than one branch"));
            }
            if fits {
                fitting = Some((self.cursor.place(), self.out.len()));
                self.give_back(start, self.out.len())?;
            } else {
                self.give_back(start, attempt)?;
            }
        }
        let Some((place, length)) = fitting else {
            return Err(Mismatch::new(self.advice(union, first), "a value that fits none of them"));
        };
        self.cursor.go_to(place);
        self.out.truncate(length);
        Ok(())
    }

    /// Goes back to where a trial began. What was read for nothing is counted, as nested unions would take for ever.
    fn give_back(&mut self, start: usize, length: usize) -> Result<()> {
        let cost = self.cursor.place().saturating_sub(start) + 1;
        self.cursor.go_to(start);
        self.out.truncate(length);
        self.trials_left = self.trials_left.saturating_sub(cost);
        if self.trials_left == 0 {
            return Err(Mismatch::new("tagged unions, as too many branches have to be tried", "untagged ones"));
        }
        Ok(())
    }

    /// Tells whether a type could take a value that begins with this byte.
    fn takes(&self, id: NodeId, first: u8) -> bool {
        let is_lenient = self.mode == Mode::Lenient;
        let is_number = matches!(first, b'-' | b'0'..=b'9');
        match &self.graph.nodes[id] {
            Node::Null => first == b'n',
            Node::Boolean => matches!(first, b't' | b'f'),
            Node::Int(logical) | Node::Long(logical) => {
                is_number || is_lenient && first == b'"' && *logical != Logical::Nothing
            }
            // Their texts for infinity would make any union with a string ambiguous.
            Node::Float | Node::Double => is_number,
            Node::Bytes(Logical::Decimal { .. }) | Node::Fixed { logical: Logical::Decimal { .. }, .. } => {
                first == b'"' || is_lenient && is_number
            }
            Node::Bytes(_) | Node::String | Node::Enum(_) | Node::Fixed { .. } => first == b'"',
            Node::Array(_) => first == b'[',
            Node::Map(_) | Node::Record(_) => first == b'{',
            Node::Union(_) => false,
        }
    }

    /// Says how to write a value that begins with this byte.
    fn advice(&self, union: &Union, first: u8) -> String {
        let fitting: Vec<_> = union.branches.iter().filter(|branch| self.takes(branch.node, first)).collect();
        let shown = if fitting.is_empty() { union.branches.iter().collect() } else { fitting };
        let written: Vec<_> = shown.iter().take(8).map(|branch| self.written(branch)).collect();
        let more = if shown.len() > written.len() { " or another branch" } else { "" };
        format!("a branch of the union: wrap the value as {}{more}", written.join(" or "))
    }

    fn written(&self, branch: &Branch) -> String {
        match self.graph.nodes[branch.node] {
            Node::Null => "null".to_owned(),
            _ => format!("{}..}}", branch.opening.replace("\":", "\": ")),
        }
    }
}
