//! The walk: every command run, every change made, every answer compared.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use freehold_testkit::process::Signal;
use freehold_testkit::{PATIENCE, Process, eventually};
use rusqlite::{Connection, OpenFlags};

use crate::folder::{Folder, built, clean};
use crate::own_service;
use crate::page::{Block, Command};

#[tokio::test]
async fn the_page_leads_from_an_empty_folder_to_two_services_that_share() {
    let began = Instant::now();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("walkthrough");
    fs::create_dir_all(&place).unwrap();
    // Always the same folder, so that one walk replaces what the one before it built; one after the other.
    let alone = File::create(place.join("lock")).unwrap();
    alone.lock().unwrap();
    let mut walk = Walk::begin(place.join("library"));
    for step in own_service().steps {
        for block in &step.blocks {
            walk.take(block).await;
        }
        println!("{} is done after {:.1} s", step.title, began.elapsed().as_secs_f64());
    }
    walk.end().await;
}

struct Walk {
    folder: Folder,
    /// The port of each service, as it was announced, and where it really answers.
    ports: BTreeMap<String, u16>,
    urls: BTreeMap<String, String>,
    running: BTreeMap<String, Process>,
}

impl Walk {
    fn begin(folder: std::path::PathBuf) -> Self {
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir(&folder).unwrap();
        let (ports, urls, running) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { folder: Folder(folder), ports, urls, running }
    }

    async fn take(&mut self, block: &Block) {
        match block {
            Block::Diff(change) => {
                self.folder.write(&change.file, &change.of(&self.folder.read(&change.file)));
            }
            Block::Console(commands) => {
                for command in commands {
                    self.run(command).await;
                }
            }
        }
    }

    async fn run(&mut self, command: &Command) {
        if let Some(service) = command.text.strip_prefix("cargo run -p ") {
            self.start(service).await;
        } else if command.prints.is_empty() {
            let printed = self.folder.succeed(&command.text);
            self.note_port(&printed);
        } else {
            self.compare(command).await;
        }
    }

    /// A service as `cargo test` built it, on any free port; it finds those that run already.
    fn program(&self, service: &str) -> std::process::Command {
        let mut command = std::process::Command::new(built(service));
        clean(&mut command);
        command.current_dir(&self.folder.0);
        command.env(format!("FREEHOLD_{}_LISTEN", service.to_uppercase()), "127.0.0.1:0");
        for (name, url) in &self.urls {
            command.env(format!("FREEHOLD_{}_URL", name.to_uppercase()), url);
        }
        command
    }

    async fn start(&mut self, service: &str) {
        let mut command = self.program(service);
        let process = Process::start(&mut command);
        let says = format!("{service} answers at ");
        let url = eventually("an address", PATIENCE, async || {
            process.stderr().lines().find_map(|line| line.strip_prefix(&says).map(str::to_owned))
        })
        .await;
        self.urls.insert(service.to_owned(), url);
        self.running.insert(service.to_owned(), process);
    }

    /// "loans owns Loan, and answers at port 7402"
    fn note_port(&mut self, printed: &str) {
        let line = printed.lines().find_map(|line| line.split_once(", and answers at port "));
        if let Some((owns, port)) = line {
            let service = owns.split(' ').next().unwrap().to_owned();
            self.ports.insert(service, port.parse().unwrap());
        }
    }

    /// Repeats a command until it prints what the page shows: copies are filled while it is asked.
    async fn compare(&self, command: &Command) {
        let mut line = command.text.clone();
        for (service, port) in &self.ports {
            let usual = format!("http://127.0.0.1:{port}");
            line = line.replace(&usual, self.urls.get(service).unwrap_or(&usual));
        }
        let mut printed = String::new();
        let shown = eventually("what the page shows", PATIENCE, async || {
            printed = self.folder.run(&line).printed;
            command.is_shown(&printed).then_some(())
        });
        shown.await;
    }

    /// Ends both, and looks into what loans has told.
    async fn end(mut self) {
        assert_eq!(self.running.len(), 2, "both run");
        for process in self.running.values_mut() {
            process.signal(Signal::Terminate);
            assert_eq!(process.ended(PATIENCE).await.code(), Some(0), "{}", process.report());
        }
        let database = self.folder.0.join("freehold-data/loans.db");
        let database = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut told = database.prepare("SELECT type FROM freehold_outbox ORDER BY mark").unwrap();
        let told: Vec<String> = told.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(told, ["loans.v1.Loan", "loans.v1.BookLent"]);
        self.asks_for_the_bus("loans").await;
    }

    /// A service publishes to the bus that it is told of: one that knows no such bus does not begin without it.
    async fn asks_for_the_bus(&self, service: &str) {
        let mut command = self.program(service);
        command.env("FREEHOLD_BUS_URL", "pigeons://loft");
        let mut process = Process::start(&mut command);
        assert_ne!(process.ended(PATIENCE).await.code(), Some(0), "{}", process.report());
        assert!(process.stderr().contains("`pigeons` is no bus"), "{}", process.report());
    }
}
