//! Who calls whom, out of the declared needs: RPCs and what they call, and the circles among them.
//!
//! A call that names its `from` is made by that RPC. One that names none, and a saga's step, may be made by any RPC of its
//! consumer; a node of its own between them keeps the graph as small as the contracts. Circles are found in time linear in
//! the graph: strongly connected parts by Kosaraju's algorithm, on a list instead of the stack, then breadth-first search.

use std::collections::{BTreeMap, VecDeque};

use crate::model::{Consumer, Need};
use crate::rules::scope::{Rpc, Scope};

/// Circles reported of one knot of calls; with these gone the next run shows the rest.
const MOST_OF_A_KNOT: usize = 10;

/// The calls of a tree. The methods come first, in the order of their names, then a node for each consumer.
pub(super) struct Graph<'a> {
    /// The methods.
    pub(super) rpcs: Vec<&'a Rpc>,
    /// What each node calls.
    pub(super) hops: Vec<Vec<Hop<'a>>>,
}

/// A call from one node to another.
#[derive(Clone, Copy)]
pub(super) struct Hop<'a> {
    /// The node that is called.
    pub(super) to: usize,
    /// The line that declares it; `None` from an RPC to what any RPC of its service may call.
    pub(super) need: Option<&'a Need>,
    /// Who makes it.
    pub(super) by: By,
}

/// Who makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// The RPC that `from` names.
    Named,
    /// Any RPC of the consumer.
    Any,
    /// A saga, as its step.
    Step,
    /// A saga, taking a step back.
    Undo,
}

impl<'a> Graph<'a> {
    pub(super) fn new(scope: &'a Scope<'_>) -> Self {
        let rpcs: Vec<&Rpc> = scope.methods.values().collect();
        let hops = vec![Vec::new(); rpcs.len() + scope.model.consumers.len()];
        let mut own: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (node, rpc) in rpcs.iter().enumerate() {
            own.entry(&rpc.owner).or_default().push(node);
        }
        let mut graph = Self { rpcs, hops };
        for (index, consumer) in scope.model.consumers.iter().enumerate() {
            let own = own.get(consumer.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            graph.add(consumer, own, graph.rpcs.len() + index);
        }
        graph
    }

    /// Adds what a consumer calls: from its own methods, and from the node that stands for any of them.
    fn add(&mut self, consumer: &'a Consumer, own: &[usize], any: usize) {
        let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for node in own {
            let rpc: &'a Rpc = self.rpcs[*node];
            named.entry(rpc.method.name()).or_default().push(*node);
        }
        for call in &consumer.calls {
            let callers = named.get(call.from.as_str()).map(Vec::as_slice).unwrap_or_default();
            match call.from.is_empty() {
                true => self.hop(any, &call.method, own, call, By::Any),
                false => callers.iter().for_each(|from| self.hop(*from, &call.method, own, call, By::Named)),
            }
        }
        for step in &consumer.steps {
            self.hop(any, &step.method, own, step, By::Step);
            if let Some(undo) = self.node(&step.method).and_then(|node| undo_of(self.rpcs[node])) {
                self.hop(any, &undo, own, step, By::Undo);
            }
        }
        if !self.hops[any].is_empty() {
            own.iter().for_each(|node| self.hops[*node].push(Hop { to: any, need: None, by: By::Any }));
        }
    }

    /// A call of what does not exist is FH2201's, one of oneself FH2204's.
    fn hop(&mut self, from: usize, method: &str, own: &[usize], need: &'a Need, by: By) {
        if let Some(to) = self.node(method).filter(|to| own.binary_search(to).is_err()) {
            self.hops[from].push(Hop { to, need: Some(need), by });
        }
    }

    fn node(&self, method: &str) -> Option<usize> {
        self.rpcs.binary_search_by(|rpc| rpc.name.as_str().cmp(method)).ok()
    }

    /// The circles, each as its hops from the first method on; short ones, and at most ten of what hangs together.
    pub(super) fn circles(&self) -> Vec<Vec<(usize, Hop<'a>)>> {
        let mut circles = Vec::new();
        let part_of = self.parts();
        let mut covered = vec![false; self.hops.len()];
        let mut found: BTreeMap<usize, usize> = BTreeMap::new();
        for node in 0..self.hops.len() {
            let of_its_knot = found.entry(part_of[node]).or_default();
            if covered[node] || *of_its_knot == MOST_OF_A_KNOT {
                continue;
            }
            if let Some(circle) = self.circle_through(node, &part_of) {
                *of_its_knot += 1;
                circle.iter().for_each(|(node, _)| covered[*node] = true);
                circles.push(circle);
            }
        }
        circles
    }

    /// The shortest circle through the node, turned so that it begins at a method.
    fn circle_through(&self, start: usize, part_of: &[usize]) -> Option<Vec<(usize, Hop<'a>)>> {
        let mut reached: BTreeMap<usize, (usize, Hop<'a>)> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front().filter(|_| !reached.contains_key(&start)) {
            for hop in self.hops[node].iter().filter(|hop| part_of[hop.to] == part_of[start]) {
                reached.entry(hop.to).or_insert_with(|| {
                    queue.push_back(hop.to);
                    (node, *hop)
                });
            }
        }
        let mut circle = vec![*reached.get(&start)?];
        while let Some((node, _)) = circle.last().copied().filter(|(node, _)| *node != start) {
            circle.push(*reached.get(&node)?);
        }
        circle.reverse();
        let first = circle.iter().position(|(node, _)| *node < self.rpcs.len())?;
        circle.rotate_left(first);
        Some(circle)
    }

    /// The number of the strongly connected part that each node belongs to.
    fn parts(&self) -> Vec<usize> {
        let forward = |node: usize| self.hops[node].iter().map(|hop| hop.to).collect::<Vec<_>>();
        let mut finished = Vec::new();
        let mut seen = vec![false; self.hops.len()];
        for root in 0..self.hops.len() {
            finish(root, &forward, &mut seen, &mut finished);
        }
        let mut backward = vec![Vec::new(); self.hops.len()];
        for (node, hops) in self.hops.iter().enumerate() {
            hops.iter().for_each(|hop| backward[hop.to].push(node));
        }
        let mut part_of = vec![0; self.hops.len()];
        let mut seen = vec![false; self.hops.len()];
        for root in finished.into_iter().rev() {
            let mut part = Vec::new();
            finish(root, &|node| backward[node].clone(), &mut seen, &mut part);
            part.into_iter().for_each(|node| part_of[node] = root);
        }
        part_of
    }
}

/// Goes depth first from the root and appends each node that was not seen before, after all that it leads to.
fn finish(root: usize, next: &dyn Fn(usize) -> Vec<usize>, seen: &mut [bool], finished: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[root], true) {
        return;
    }
    let mut open = vec![(root, next(root))];
    while let Some((node, ahead)) = open.last_mut() {
        match ahead.pop() {
            Some(to) if !std::mem::replace(&mut seen[to], true) => open.push((to, next(to))),
            Some(_) => {}
            None => {
                finished.push(*node);
                open.pop();
            }
        }
    }
}

fn undo_of(rpc: &Rpc) -> Option<String> {
    let undo = rpc.words.undo.as_deref()?;
    Some(format!("{}/{undo}", rpc.method.parent_service().full_name()))
}
