//! Who reads or sends what: from an element of a baseline up to the needs that lead to it.
//!
//! A view or replica names fields; a call names a method, and with it everything that its request and its reply lead to.
//! The graph is the baseline's, for that is what was promised; the needs are given, those of the contracts at hand or
//! those of the baseline. **Invariant:** each edge of the graph is walked at most twice per question.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::assemble;
use crate::finding::{Affected, Mark, Verdict};
use crate::language::number;
use crate::model::{Consumer, Field, Place};

use super::side::{Side, type_of_field};

/// Who stands for the callers of a public method that declare nothing.
pub(super) const ANYBODY: &str = "anybody";

/// Which way what changed travels to or from a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In an event or a change, field by field; old ones are replayed.
    Taken,
    /// From the caller to the owner.
    Sent,
    /// From the owner to the caller.
    Received,
    /// The method itself is called.
    Called,
    /// The method itself is a step of a saga, or takes one back.
    Step,
}

/// One way in which a consumer has to do with an element.
#[derive(Debug, Clone)]
pub(super) struct Exposure<'a> {
    /// Who; none for anybody, through a public method.
    consumer: Option<&'a Consumer>,
    pub(super) way: Way,
    /// Whether all that the contract language lets a consumer name is named. A caller that gets an entity has not named
    /// its fields, though a view or a replica could.
    pub(super) named: bool,
    /// The message of the view or replica, and the number of its field, where it takes the very field.
    pub(super) taken: Option<(&'a str, u32)>,
    /// The line of the needs.
    at: Line<'a>,
}

/// A line of needs, found when it is shown.
#[derive(Debug, Clone)]
enum Line<'a> {
    Place(&'a Place),
    Field { message: &'a str, number: u32, replica: bool },
    Public(&'a str),
}

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target<'t> {
    /// A message or an enum, whoever it comes to.
    Type(&'t str),
    /// A field of a message.
    Field(&'t str, u32),
    /// A method.
    Method(&'t str),
}

/// The needs of one state against the graph of another.
pub(super) struct Readers<'a> {
    graph: &'a Side<'a>,
    needs: &'a Side<'a>,
    /// Whether calls count: they do not for a baseline that only lives on in stored events.
    calls: bool,
    takers: HashMap<&'a str, Vec<Taker<'a>>>,
    callers: HashMap<String, Vec<Caller<'a>>>,
    edges: OnceCell<Edges>,
}

struct Taker<'a> {
    consumer: &'a Consumer,
    message: &'a str,
    fields: &'a [Field],
    place: &'a Place,
    replica: bool,
}

struct Caller<'a> {
    consumer: &'a Consumer,
    place: &'a Place,
    step: bool,
}

/// A message and the number of its field that holds a type.
type Holder = (String, u32);

/// A method that sends or receives a type.
type Use = (String, Way);

/// The graph upwards: which fields hold a type, which methods send or receive it.
#[derive(Default)]
struct Edges {
    holders: HashMap<String, Vec<Holder>>,
    methods: HashMap<String, Vec<Use>>,
}

impl<'a> Readers<'a> {
    pub(super) fn new(graph: &'a Side<'a>, needs: &'a Side<'a>, calls: bool) -> Self {
        let mut readers = Self {
            graph,
            needs,
            calls,
            takers: HashMap::new(),
            callers: HashMap::new(),
            edges: OnceCell::new(),
        };
        for consumer in &needs.model.consumers {
            readers.add(consumer);
        }
        readers
    }

    fn add(&mut self, consumer: &'a Consumer) {
        for view in &consumer.views {
            let (message, fields, place) = (view.name.as_str(), view.fields.as_slice(), &view.place);
            let taker = Taker { consumer, message, fields, place, replica: false };
            self.takers.entry(&view.of).or_default().push(taker);
        }
        for replica in &consumer.replicas {
            let (message, fields, place) = (replica.name.as_str(), replica.fields.as_slice(), &replica.place);
            let taker = Taker { consumer, message, fields, place, replica: true };
            self.takers.entry(&replica.of).or_default().push(taker);
        }
        for need in &consumer.calls {
            let caller = Caller { consumer, place: &need.place, step: false };
            self.callers.entry(need.method.clone()).or_default().push(caller);
        }
        for need in &consumer.steps {
            let undo = self.graph.method(&need.method).and_then(|method| assemble::call_rules(method).undo);
            for method in std::iter::once(need.method.clone()).chain(undo) {
                let caller = Caller { consumer, place: &need.place, step: true };
                self.callers.entry(method).or_default().push(caller);
            }
        }
    }

    /// Everybody who has to do with it, each way.
    pub(super) fn of(&self, target: Target<'_>) -> Vec<Exposure<'a>> {
        match target {
            Target::Method(name) => self.method(name, None),
            Target::Type(name) => self.upwards(name, None),
            Target::Field(message, number) => self.upwards(message, Some(number)),
        }
    }

    /// Whom a change hits, by name, each with the worst that happens to it and the line of its needs.
    pub(super) fn affected(
        &self,
        targets: &[Target<'_>],
        judge: impl Fn(&Exposure<'a>) -> Option<Verdict>,
    ) -> Vec<Affected> {
        let mut worst: BTreeMap<&str, (Verdict, Exposure<'a>)> = BTreeMap::new();
        for exposure in targets.iter().flat_map(|target| self.of(*target)) {
            let Some(verdict) = judge(&exposure) else { continue };
            // Who declares nothing has been promised nothing by name.
            let verdict = if exposure.consumer.is_none() { Verdict::PotentiallyAffected } else { verdict };
            let known = worst.entry(exposure.name()).or_insert_with(|| (verdict, exposure.clone()));
            if verdict > known.0 {
                *known = (verdict, exposure);
            }
        }
        worst.into_values().map(|(verdict, exposure)| self.hit(&exposure, verdict)).collect()
    }

    /// What holds the type directly: fields of messages, and methods.
    pub(super) fn holders(&self, name: &str) -> (&[Holder], &[Use]) {
        let edges = self.edges();
        let (holders, methods) = (edges.holders.get(name), edges.methods.get(name));
        (holders.map(Vec::as_slice).unwrap_or_default(), methods.map(Vec::as_slice).unwrap_or_default())
    }

    fn hit(&self, exposure: &Exposure<'a>, verdict: Verdict) -> Affected {
        Affected {
            consumer: exposure.name().to_owned(),
            contact: exposure
                .consumer
                .map(|consumer| self.needs.contact(consumer).to_owned())
                .unwrap_or_default(),
            verdict,
            need: Some(self.line(exposure)),
        }
    }

    /// The line of the needs, with what it is for.
    fn line(&self, exposure: &Exposure<'a>) -> Mark {
        let name = exposure.name();
        match exposure.at {
            Line::Place(place) => {
                let label = match exposure.way {
                    Way::Taken => format!("taken by `{name}`"),
                    Way::Step => format!("a step of `{name}`"),
                    Way::Sent | Way::Received | Way::Called => format!("called by `{name}`"),
                };
                self.needs.mark(place.clone(), label)
            }
            Line::Field { message, number, replica } => {
                let verb = if replica { "copied" } else { "read" };
                let field = self.needs.message(message).and_then(|message| message.get_field(number));
                let place = field.map(|field| self.needs.places().field(&field));
                let place = place.unwrap_or_else(|| Place::whole(exposure.file()));
                self.needs.mark(place, format!("{verb} by `{name}`"))
            }
            Line::Public(method) => {
                let sides = [self.needs, self.graph];
                let found = sides.iter().find_map(|side| Some((side, side.method(method)?)));
                let place = found
                    .map(|(side, method)| (side, side.places().method_option(method, &[number::CALL, 4])));
                let (side, place) = place.unwrap_or((&self.graph, Place::whole("")));
                side.mark(place, "anybody may call it")
            }
        }
    }

    /// The consumers that call the method, and anybody where it is public.
    fn method(&self, name: &str, through: Option<(Way, bool)>) -> Vec<Exposure<'a>> {
        if !self.calls {
            return Vec::new();
        }
        let callers = self.callers.get(name).into_iter().flatten().map(|caller| {
            let (way, named) = through.unwrap_or((if caller.step { Way::Step } else { Way::Called }, true));
            let at = Line::Place(caller.place);
            Exposure { consumer: Some(caller.consumer), way, named, taken: None, at }
        });
        let mut exposures: Vec<Exposure<'a>> = callers.collect();
        if let Some((name, method)) = self.graph.find(name)
            && crate::language::method(method).public
        {
            let (way, named) = through.unwrap_or((Way::Called, true));
            exposures.push(Exposure { consumer: None, way, named, taken: None, at: Line::Public(name) });
        }
        exposures
    }

    /// Walks from a type, or a field of a message, to whatever holds it, and on to the needs.
    fn upwards(&self, name: &str, field: Option<u32>) -> Vec<Exposure<'a>> {
        let mut exposures = Vec::new();
        let mut seen = HashSet::new();
        let mut left = vec![(name, field, false)];
        let edges = self.edges();
        while let Some((name, field, inside)) = left.pop() {
            exposures.extend(self.taken(name, field));
            let inside = inside || self.graph.entities.contains_key(name);
            if !seen.insert((name, inside)) {
                continue;
            }
            for (method, way) in edges.methods.get(name).into_iter().flatten() {
                exposures.extend(self.method(method, Some((*way, !inside))));
            }
            let holders = edges.holders.get(name).into_iter().flatten();
            left.extend(holders.map(|(holder, number)| (holder.as_str(), Some(*number), inside)));
        }
        exposures
    }

    /// Who takes the field of the entity or event; without a number, anything of it.
    fn taken(&self, source: &str, number: Option<u32>) -> Vec<Exposure<'a>> {
        let mut exposures = Vec::new();
        for taker in self.takers.get(source).into_iter().flatten() {
            let Taker { message, replica, .. } = *taker;
            let at = match number {
                None => Line::Place(taker.place),
                Some(number) if taker.fields.iter().any(|field| field.number == number) => {
                    Line::Field { message, number, replica }
                }
                Some(_) => continue,
            };
            let taken = number.map(|number| (message, number));
            let consumer = Some(taker.consumer);
            exposures.push(Exposure { consumer, way: Way::Taken, named: true, taken, at });
        }
        exposures
    }

    fn edges(&self) -> &Edges {
        self.edges.get_or_init(|| {
            let mut edges = Edges::default();
            for message in &self.graph.messages {
                for field in message.fields() {
                    let Some(name) = type_of_field(&field) else { continue };
                    let holder = (message.full_name().to_owned(), field.number());
                    edges.holders.entry(name).or_default().push(holder);
                }
            }
            for (name, method) in self.graph.methods() {
                for (message, way) in [(method.input(), Way::Sent), (method.output(), Way::Received)] {
                    let ways = edges.methods.entry(message.full_name().to_owned()).or_default();
                    ways.push((name.to_owned(), way));
                }
            }
            edges
        })
    }
}

impl<'a> Exposure<'a> {
    /// The consumer's name.
    pub(super) fn name(&self) -> &'a str {
        self.consumer.map_or(ANYBODY, |consumer| consumer.name.as_str())
    }

    fn file(&self) -> &'a str {
        self.consumer.map(|consumer| consumer.file.as_str()).unwrap_or_default()
    }
}
