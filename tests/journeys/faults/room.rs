//! Disks that are full for a while: what needs room is refused, all else goes on, and once there is room everything does by
//! itself, whoever was killed meanwhile.
//!
//! Runs where file systems may be mounted, since each service has one of its own: `cargo xtask soak faults`. That a full
//! database is held against no event is seen in every run (`consumer::room` of `crates/events`).

use std::fs;
use std::path::Path;

use fastrand::Rng;
use freehold_testkit::{Disk, PATIENCE, Scratch, eventually, rounds};

use super::judged;
use super::seed;
use super::shop::{Shop, Told};
use crate::apart::Apart;
use crate::engines::Engines;
use crate::mesh::Up;
use crate::ports;
use crate::power::server::{self, Server};

/// Whose disks can be full: who is called and tells of it, who is only called, and who only reacts.
const SMALL: [&str; 3] = ["orders", "payments", "notifications"];
/// Which of them are, one round after the other.
const FULL: [&[&str]; 4] = [&["payments"], &["notifications"], &["orders"], &SMALL];
/// How many events orders tells while a consumer stands still that has no room.
const STRETCH: i64 = 20;

#[tokio::test]
async fn processes_whose_disks_are_full_go_on_when_there_is_room() {
    if !Disk::is_allowed() {
        return;
    }
    let (scratch, disks) =
        (Scratch::new("room"), SMALL.map(|service| (service, Disk::mount_small().unwrap())));
    say_where(scratch.path(), &disks);
    let mut mesh = Mesh {
        apart: Apart::start(scratch.path()).await,
        engines: Engines::on(scratch.path(), None, None).await,
        random: Rng::with_seed(seed()),
        disks,
    };
    let shop = Shop::open(&mesh.apart.mesh("demo")).await;
    let failing = async {
        for round in 0..rounds(FULL.len() as u32) {
            mesh.go_round(round, &shop).await;
        }
        shop.close();
    };
    let (told, saved, ()) = tokio::join!(shop.serve(), shop.save(), failing);
    no_event_is_at_fault(scratch.path(), &told.and(saved)).await;
}

/// One process, whose databases are on a PostgreSQL that has no room. It may go down over that, as PostgreSQL does where its
/// journal has none: then somebody starts it again.
#[tokio::test]
async fn a_mesh_whose_postgresql_has_no_room_goes_on_when_there_is_some() {
    let Some(programs) = server::programs().filter(|_| Disk::is_allowed()) else { return };
    let (disk, scratch) = (Disk::mount().unwrap(), Scratch::new("room"));
    let mut server = Server::make(&programs, &disk.path(), "fsync=on").await;
    let mut engines = Engines::on(scratch.path(), Some(&server.url()), None).await;
    let mut up = Up::at(scratch.path(), ports::of_a_mesh()).await;
    let shop = Shop::open(&up.mesh()).await;
    let failing = async {
        for round in 0..rounds(2) {
            let there = engines.reach(STRETCH).await;
            let before = shop.all_refused_for_room();
            disk.fill().unwrap();
            eventually("a refusal, or the end of the server", PATIENCE, async || {
                (shop.all_refused_for_room() > before || server.has_ended()).then_some(())
            })
            .await;
            println!(
                "round {round}: full after {there} events, the server has ended: {}",
                server.has_ended()
            );
            disk.make_room().unwrap();
            eventually("the server", PATIENCE, async || {
                let runs = !server.has_ended() || server.begin().await;
                runs.then_some(())
            })
            .await;
            engines.reach(STRETCH).await;
            assert_eq!(up.process.has_ended(), None, "the mesh is the one that it was");
        }
        shop.close();
    };
    let (told, ()) = tokio::join!(shop.serve(), failing);
    no_event_is_at_fault(scratch.path(), &told).await;
}

/// The services, and the disks of some.
struct Mesh {
    disks: [(&'static str, Disk); 3],
    apart: Apart,
    engines: Engines,
    random: Rng,
}

impl Mesh {
    /// Some disks are full until it is noticed; in every other turn one that was so is killed meanwhile.
    async fn go_round(&mut self, round: u32, shop: &Shop) {
        let full = FULL[round as usize % FULL.len()];
        let more = self.random.i64(1..STRETCH);
        let there = self.engines.reach(more).await;
        let before: Vec<u64> = full.iter().map(|service| shop.refused_for_room(service)).collect();
        self.disks_of(full).for_each(|disk| disk.fill().unwrap());
        for (service, before) in full.iter().zip(before) {
            match *service {
                "notifications" if full.len() == 1 => self.stands_still().await,
                "payments" => is_refused(shop, service, before, async || {}).await,
                // Whoever has ordered waits for a saga that stands still, so somebody has to come anew.
                "orders" if full.len() == 1 => {
                    is_refused(shop, service, before, async || shop.try_to_order().await).await;
                }
                // Nobody comes as far as these.
                _ => {}
            }
        }
        for service in full {
            self.apart.is_healthy(service).await;
        }
        assert!(!self.apart.orders().await.is_empty(), "reads go on");
        let killed = (round / FULL.len() as u32 % 2 == 1).then(|| full[self.random.usize(..full.len())]);
        println!("round {round}: {full:?} full after {there} events, {killed:?} killed");
        if let Some(service) = killed {
            self.apart.kill(service);
        }
        self.disks_of(full).for_each(|disk| disk.make_room().unwrap());
        if let Some(service) = killed {
            self.apart.begin(service);
            self.apart.is_healthy(service).await;
        }
        self.engines.reach(STRETCH).await;
        assert!(self.apart.all_run(), "nobody has ended");
    }

    fn disks_of(&self, services: &[&str]) -> impl Iterator<Item = &Disk> {
        self.disks.iter().filter(move |(service, _)| services.contains(service)).map(|(_, disk)| disk)
    }

    /// Waits until notifications has not moved while orders told of more.
    async fn stands_still(&mut self) {
        const STANDS: &str =
            "SELECT SUM(mark) AS n FROM freehold_position WHERE subscription NOT LIKE '%/replica/%'";
        loop {
            let before = self.engines.number("notifications", STANDS).await;
            self.engines.reach(STRETCH).await;
            if self.engines.number("notifications", STANDS).await == before {
                return;
            }
        }
    }
}

/// Waits until that service refused somebody for want of room, who may be somebody that comes for that alone.
async fn is_refused(shop: &Shop, service: &str, before: u64, come: impl AsyncFn()) {
    eventually("a refusal for want of room", PATIENCE, async || {
        come().await;
        (shop.refused_for_room(service) > before).then_some(())
    })
    .await;
}

/// Says which databases are on disks of their own.
fn say_where(folder: &Path, disks: &[(&str, Disk)]) {
    let line = |(service, disk): &(&str, Disk)| {
        let file = disk.path().join(format!("{service}.db"));
        format!("FREEHOLD_{}_DATABASE_URL=sqlite:{}\n", service.to_uppercase(), file.display())
    };
    fs::create_dir(folder.join("data")).unwrap();
    fs::write(folder.join("data/databases.env"), disks.iter().map(line).collect::<String>()).unwrap();
}

/// What comes right without anybody's help, and what of it is held against an event.
async fn no_event_is_at_fault(folder: &Path, told: &Told) {
    let books = judged::comes_right(folder, told).await;
    assert_eq!(books.dead_letters(), 0, "no event is at fault");
}
