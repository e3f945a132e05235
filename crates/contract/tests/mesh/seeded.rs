//! The repository's own contracts: twenty breaks of policy, chosen by a seed, are caught with the right consumer named,
//! and twenty safe changes pass without a word.

use std::path::Path;
use std::{fs, io};

use freehold_contract::Severity;
use freehold_contract::compat::{Contract, Life, mesh};
use freehold_contract::model::{Effect, Method};

use crate::{baseline, compiled};

/// The texts below `proto/`, by path.
fn tree() -> io::Result<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Numbers from a seed: splitmix64, by Sebastiano Vigna.
struct Chance(u64);

impl Chance {
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let at = (mixed ^ (mixed >> 31)) % from.len() as u64;
        &from[usize::try_from(at).expect("a remainder is small")]
    }
}

/// A change: what goes, what comes, the rule that catches it, and the consumer that it breaks.
struct Change {
    at: Span,
    text: String,
    rule: &'static str,
    consumer: String,
}

/// Bytes of a file.
struct Span {
    file: String,
    start: usize,
    end: usize,
}

/// What consumers declare: who, of what, which field, and the methods that they call.
struct Declared<'a> {
    contract: &'a Contract,
    fields: Vec<(&'a str, &'a str, u32)>,
    methods: Vec<(&'a str, &'a Method)>,
}

impl<'a> Declared<'a> {
    fn new(contract: &'a Contract) -> Self {
        let model = &contract.model;
        let own =
            || model.owners.iter().flat_map(|owner| &owner.services).flat_map(|service| &service.methods);
        let mut declared = Self { contract, fields: Vec::new(), methods: Vec::new() };
        for consumer in &model.consumers {
            let views = consumer.views.iter().map(|view| (view.of.as_str(), &view.fields));
            let replicas = consumer.replicas.iter().map(|replica| (replica.of.as_str(), &replica.fields));
            for (of, fields) in views.chain(replicas) {
                declared.fields.extend(fields.iter().map(|field| (consumer.name.as_str(), of, field.number)));
            }
            for need in consumer.calls.iter().chain(&consumer.steps) {
                let method = own().find(|method| method.full_name == need.method);
                declared.methods.extend(method.map(|method| (consumer.name.as_str(), method)));
            }
        }
        declared
    }

    fn text(&self, file: &str) -> &'a str {
        self.contract.sources.text(file).expect("the file is there")
    }

    fn of(&self, span: &Span) -> &'a str {
        &self.text(&span.file)[span.start..span.end]
    }

    /// From the head of a message to its end.
    fn message(&self, name: &str) -> Span {
        let message = self.contract.model.pool.get_message_by_name(name).expect("the message is there");
        let file = message.parent_file().name().to_owned();
        let text = self.text(&file);
        let start = after(text, 0, &format!("\nmessage {} {{", message.name()));
        let end = start + text[start..].find("\n}").expect("the message ends");
        Span { file, start, end }
    }

    /// The statement of a field.
    fn field(&self, of: &str, number: u32) -> Span {
        let message = self.contract.model.pool.get_message_by_name(of).expect("the message is there");
        let field = message.get_field(number).expect("the field is there");
        let Span { file, start, .. } = self.message(of);
        let text = self.text(&file);
        let number_end = after(text, start, &format!(" {} = {}", field.name(), field.number()));
        let start = text[..number_end].rfind('\n').expect("the field has a line") + 1;
        let end = after(text, number_end, ";\n");
        Span { file, start, end }
    }

    /// The options of a method.
    fn options(&self, method: &Method) -> Span {
        let text = self.text(&method.place.file);
        let start = after(text, method.place.end, "{\n");
        let end = start + text[start..].find("\n  }\n").expect("the method ends");
        Span { file: method.place.file.clone(), start, end }
    }

    /// The fields that are no keys.
    fn plain(&self) -> Vec<(&'a str, &'a str, u32)> {
        let is_key = |(_, of, number): &(&str, &str, u32)| {
            let line = self.of(&self.field(of, *number)).to_owned();
            let head = self.of(&self.message(of));
            let key =
                head.split(").key = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            line.contains(&format!(" {key} = "))
        };
        self.fields.iter().copied().filter(|field| !is_key(field)).collect()
    }
}

fn after(text: &str, from: usize, needle: &str) -> usize {
    from + text[from..].find(needle).expect(needle) + needle.len()
}

fn with_option(line: &str, option: &str) -> String {
    match line.contains(" [") {
        true => line.replacen(" [", &format!(" [(freehold.v1.field).{option} = true, "), 1),
        false => line.replacen(';', &format!(" [(freehold.v1.field).{option} = true];"), 1),
    }
}

/// K1 and K8: a declared field that goes, or is kept back.
fn break_of_field(kind: usize, chance: &mut Chance, declared: &Declared<'_>) -> Change {
    let (consumer, of, number) = *chance.pick(&declared.plain());
    let at = declared.field(of, number);
    let line = declared.of(&at);
    let (rule, text) = match kind {
        0 => ("FH3007", String::new()),
        1 => ("FH3601", with_option(line, "private")),
        _ if line.contains("personal = true") => ("FH3601", with_option(line, "private")),
        _ => ("FH3602", with_option(line, "personal")),
    };
    Change { at, text, rule, consumer: consumer.to_owned() }
}

/// K1, K4 and K7: a declared method that goes, asks for more, or promises less.
fn break_of_method(kind: usize, chance: &mut Chance, declared: &Declared<'_>) -> Change {
    let (consumer, method) = match kind {
        4 => {
            let keyed = |(_, method): &(&str, &Method)| method.effect == Effect::Keyed;
            *chance.pick(&declared.methods.iter().copied().filter(keyed).collect::<Vec<_>>())
        }
        _ => *chance.pick(&declared.methods),
    };
    let options = declared.options(method);
    let body = declared.of(&options);
    let (rule, at, text) = match kind {
        3 => {
            let kept: Vec<&str> = body.lines().filter(|line| !line.contains("deadline")).collect();
            let short = "    option (freehold.v1.call).deadline = { nanos: 1000000 };";
            ("FH3501", options, format!("{}\n{short}", kept.join("\n")))
        }
        4 => {
            let keyed = "option (freehold.v1.call).keyed = true;";
            ("FH3503", options, body.replace(keyed, "option idempotency_level = IDEMPOTENT;"))
        }
        8 => {
            let Span { file, start, .. } = declared.message(&method.request);
            let field = "\n  string must_be_there = 900 [(freehold.v1.field).required = true];";
            ("FH3301", Span { file, start, end: start }, field.to_owned())
        }
        _ => {
            let start =
                declared.text(&options.file)[..options.start].rfind("\n  rpc ").expect("the method begins");
            ("FH3003", Span { start: start + 1, end: options.end + 5, ..options }, String::new())
        }
    };
    Change { at, text, rule, consumer: consumer.to_owned() }
}

/// K5, K6 and K9: another owner, another key, an event no longer.
fn break_of_source(kind: usize, chance: &mut Chance, declared: &Declared<'_>) -> Change {
    let is_event = |of: &str| declared.of(&declared.message(of)).contains("(freehold.v1.event).of");
    let fields = declared.fields.iter().copied().filter(|(_, of, _)| kind != 7 || is_event(of));
    let (consumer, of, _) = *chance.pick(&fields.collect::<Vec<_>>());
    let Span { file, start, .. } = declared.message(of);
    let text = declared.text(&file);
    let (rule, at, text) = match kind {
        5 => {
            let start = after(text, 0, "option (freehold.v1.owner) = \"");
            let end = start + text[start..].find('"').expect("the name ends");
            ("FH3401", Span { file, start, end }, "somebody_else")
        }
        6 => {
            let rule = if is_event(of) { "FH3412" } else { "FH3411" };
            let start = after(text, start, ").key = \"");
            let end = start + text[start..].find('"').expect("the key ends");
            (rule, Span { file, start, end }, "elsewhere")
        }
        _ => {
            let end = after(text, after(text, start, "(freehold.v1.event).key"), "\n");
            ("FH3701", Span { file, start, end }, "\n")
        }
    };
    Change { at, text: text.to_owned(), rule, consumer: consumer.to_owned() }
}

fn break_of(seed: usize, declared: &Declared<'_>) -> Change {
    let chance = &mut Chance(seed as u64);
    match seed % 10 {
        kind @ 0..=2 => break_of_field(kind, chance, declared),
        kind @ 5..=7 => break_of_source(kind, chance, declared),
        kind => break_of_method(kind, chance, declared),
    }
}

fn applied(change: &Change) -> Contract {
    let files = tree().expect("proto/ can be read").into_iter().map(|(path, mut text)| {
        if path == change.at.file {
            text.replace_range(change.at.start..change.at.end, &change.text);
        }
        (path, text)
    });
    compiled(files.collect())
}

/// K1 and K4 to K9. Planted: readers that leave out replicas, or steps, let some of these through.
#[test]
fn twenty_breaks_of_policy_are_caught_with_the_right_consumer_named() {
    let main = baseline("main", compiled(tree().unwrap().into_iter().collect()), Life::Live);
    let declared = Declared::new(&main.contract);
    for seed in 0..20 {
        let change = break_of(seed, &declared);
        let report = mesh(std::slice::from_ref(&main), &applied(&change));
        let caught = report.findings.iter().any(|finding| {
            finding.rule == change.rule
                && finding.severity == Severity::Error
                && finding
                    .affected
                    .iter()
                    .any(|hit| hit.consumer == change.consumer && hit.verdict.as_str() == "broken")
        });
        let rules: Vec<_> = report
            .findings
            .iter()
            .map(|finding| (finding.rule, &finding.element, &finding.affected))
            .collect();
        assert!(
            caught,
            "seed {seed}: {} for {} in {}: {rules:#?}",
            change.rule, change.consumer, change.at.file
        );
    }
}

/// K15, and what is only added.
#[test]
fn twenty_safe_changes_pass_without_a_word() {
    let main = baseline("main", compiled(tree().unwrap().into_iter().collect()), Life::Live);
    let model = &main.contract.model;
    let messages: Vec<_> =
        model.owners.iter().flat_map(|owner| &owner.entities).map(|entity| entity.name.clone()).collect();
    let services: Vec<_> = model.owners.iter().flat_map(|owner| &owner.services).collect();
    for seed in 0..20_u64 {
        let mut chance = Chance(seed);
        let name: &String = chance.pick(&messages);
        let message = model.pool.get_message_by_name(name).unwrap();
        let service = *chance.pick(&services);
        let in_message =
            (message.parent_file().name().to_owned(), format!("\nmessage {} {{", message.name()));
        let short = service.name.rsplit('.').next().unwrap();
        let in_service = (service.place.file.clone(), format!("\nservice {short} {{"));
        let ((file, at), text) = match seed % 5 {
            0 => (in_message, "\n  string new_one = 901;"),
            1 => (in_message, "\n  // A remark.\n"),
            2 => (
                in_service,
                "\n  rpc Anew(AnewRequest) returns (AnewRequest) { option idempotency_level = NO_SIDE_EFFECTS; }",
            ),
            3 => (in_message, "\n  reserved 902;\n  reserved \"never\";"),
            _ => (in_message, "\n  option deprecated = true;"),
        };
        let files = tree().unwrap().into_iter().map(|(path, mut content)| {
            if path == file {
                let start = content.find(&at).unwrap() + at.len();
                content.insert_str(start, text);
                content.push_str("\nmessage AnewRequest { string id = 1; }\n");
            }
            (path, content)
        });
        let report = mesh(std::slice::from_ref(&main), &compiled(files.collect()));
        assert_eq!(report.findings, [], "seed {seed}");
    }
}

#[test]
fn the_contracts_of_the_repository_break_nothing_of_themselves() {
    let main = baseline("main", compiled(tree().unwrap().into_iter().collect()), Life::Live);
    let released = baseline("v1", main.contract.clone(), Life::Released);
    assert_eq!(mesh(&[main.clone(), released], &main.contract).findings, []);
}
