//! A bus in memory, which does whatever harm a test asks for: the model of what a broker may do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Bus, BusError, Letter, Packet, Prepared, Stray, Tail};

/// The bus. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    log: Arc<Mutex<Log>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Log {
    packets: Vec<Packet>,
    /// How many packets of the log each reader has settled.
    settled: BTreeMap<String, usize>,
    /// Counts the times that the log was wiped.
    life: u64,
    largest: Option<usize>,
    is_away: bool,
    swallows_acks: bool,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self { log: Arc::default(), changed: watch::Sender::new(0) }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Log)) {
        change(&mut self.log());
        self.changed.send_modify(|count| *count += 1);
    }

    /// Forgets everything, readers too.
    pub(crate) fn wipe(&self) {
        self.change(|log| {
            let life = log.life + 1;
            *log = Log { life, ..Log::default() };
        });
    }

    /// Forgets the last events and whatever came after them, as a broker does that lost power.
    pub(crate) fn forget_tail(&self, events: usize) {
        self.change(|log| {
            for _ in 0..events {
                while log.packets.pop().is_some_and(|packet| packet.route.is_none()) {}
            }
            log.life += 1;
        });
    }

    /// From now on nobody reaches it, or everybody does again.
    pub(crate) fn away(&self, is_away: bool) {
        self.change(|log| log.is_away = is_away);
    }

    /// Takes packets from now on and does not say so.
    pub(crate) fn swallow_acks(&self, swallows: bool) {
        self.change(|log| log.swallows_acks = swallows);
    }

    /// Takes no more data than that in one packet.
    pub(crate) fn limit(&self, largest: usize) {
        self.change(|log| log.largest = Some(largest));
    }

    /// Puts a packet on it that is nobody's.
    pub(crate) fn strew(&self, packet: Packet) {
        self.change(|log| log.packets.push(packet));
    }

    /// The ids of the events on it, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let log = self.log();
        let events = log.packets.iter().filter(|packet| packet.route.is_some());
        events.map(|packet| packet.id.clone()).collect()
    }

    pub(crate) fn packets(&self) -> Vec<Packet> {
        self.log().packets.clone()
    }
}

fn away() -> BusError {
    BusError::Away("nobody answers".to_owned(), None)
}

#[async_trait]
impl Bus for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn prepare(&self, _: &str) -> Result<Prepared, BusError> {
        let log = self.log();
        if log.is_away {
            return Err(away());
        }
        Ok(Prepared { largest: log.largest.unwrap_or(usize::MAX), warnings: Vec::new() })
    }

    async fn publish(&self, _: &str, packets: Vec<Packet>) -> Result<(), BusError> {
        if self.log().is_away {
            return Err(away());
        }
        let largest = self.log().largest.unwrap_or(usize::MAX);
        if packets.iter().any(|packet| packet.body.len() > largest) {
            return Err(BusError::Refused("a packet is too large".to_owned(), None));
        }
        self.change(|log| log.packets.extend(packets));
        if self.log().swallows_acks { Err(away()) } else { Ok(()) }
    }

    async fn open(
        &self,
        owner: &str,
        reader: &str,
        entities: &BTreeSet<&'static str>,
    ) -> Result<Box<dyn Tail>, BusError> {
        let log = self.log();
        if log.is_away {
            return Err(away());
        }
        let next = log.settled.get(reader).copied().unwrap_or(log.packets.len());
        Ok(Box::new(MemoryTail {
            memory: self.clone(),
            changed: self.changed.subscribe(),
            owner: owner.to_owned(),
            reader: reader.to_owned(),
            entities: entities.clone(),
            life: log.life,
            next,
            read: Vec::new(),
        }))
    }
}

struct MemoryTail {
    memory: Memory,
    changed: watch::Receiver<u64>,
    owner: String,
    reader: String,
    entities: BTreeSet<&'static str>,
    life: u64,
    next: usize,
    /// The marks that were read, each with the place after it.
    read: Vec<(i64, usize)>,
}

impl MemoryTail {
    fn packet(&mut self) -> Result<Option<Packet>, BusError> {
        let log = self.memory.log();
        if log.is_away || log.life != self.life {
            return Err(away());
        }
        while let Some(packet) = log.packets.get(self.next) {
            self.next += 1;
            if packet.route.as_ref().is_none_or(|(entity, _)| self.entities.contains(entity.as_str())) {
                return Ok(Some(packet.clone()));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Tail for MemoryTail {
    async fn next(&mut self) -> Result<Result<Letter, Stray>, BusError> {
        loop {
            self.changed.borrow_and_update();
            if let Some(packet) = self.packet()? {
                let headers: BTreeMap<_, _> = packet.headers.into_iter().collect();
                let letter = Letter::unpack(&self.owner, |name| headers.get(name).cloned(), packet.body);
                if let Ok(Letter::Event { event, .. }) = &letter {
                    let mark = event.position.unwrap_or_default().mark;
                    self.read.push((mark, self.next));
                }
                return Ok(letter);
            }
            self.changed.changed().await.map_err(|_| away())?;
        }
    }

    async fn settle(&mut self, mark: i64) -> Result<(), BusError> {
        let settled = self.read.iter().take_while(|(read, _)| *read <= mark).count();
        if let Some((_, next)) = self.read.drain(..settled).next_back() {
            self.memory.log().settled.insert(self.reader.clone(), next);
        }
        Ok(())
    }
}
