//! Pairs of trees that nobody thought of: a random tree, and what a random change makes of it.

use std::fmt::Write as _;

use crate::corpus::Pair;

const SCALARS: [&str; 15] = [
    "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64",
    "bool", "float", "double", "string", "bytes",
];

/// Numbers out of a seed: xorshift64*, by Marsaglia and Vigna.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end
    }

    fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// As many pairs, each of a seed of its own.
pub(crate) fn pairs(count: u64) -> impl Iterator<Item = Pair> {
    (1..=count).map(|seed| {
        let sides = |at: u64| {
            // The skeleton is the seed's; what may differ is drawn anew on the second side, once in a while.
            let (mut same, mut other) = (Chance(seed), Chance(seed * 7919 + at));
            files(&mut same, &mut other, at == 1)
        };
        let about = "random".to_owned();
        Pair { name: format!("seed {seed}"), about, previous: sides(0), current: sides(1) }
    })
}

fn files(same: &mut Chance, other: &mut Chance, changes: bool) -> Vec<(String, String)> {
    let syntax = same.pick(&["proto2", "proto3"]);
    let mut text = format!("syntax = \"{syntax}\";\npackage test.v1;\n");
    for at in 0..3 {
        if !(changes && other.one_in(12)) {
            values(same, other, changes, at, &mut text);
        } else {
            values(same, other, changes, at, &mut String::new());
            writeln!(text, "enum E{at} {{\n  ZERO{at} = 0;\n}}").unwrap();
        }
    }
    for at in 0..4 {
        message(same, other, changes, syntax, at, &mut text);
    }
    service(same, other, changes, &mut text);
    vec![("a.proto".to_owned(), text)]
}

/// Draws from the seed's chance; on the changed side, once in a while, from the other.
fn draw<'a>(same: &mut Chance, other: &mut Chance, changes: bool, from: &[&'a str]) -> &'a str {
    let drawn = same.pick(from);
    if changes && other.one_in(8) { other.pick(from) } else { drawn }
}

fn values(same: &mut Chance, other: &mut Chance, changes: bool, at: usize, text: &mut String) {
    writeln!(text, "enum E{at} {{\n  option allow_alias = true;\n  Z{at} = 0;\n  ZERO{at} = 0;").unwrap();
    for number in 1..5 {
        match draw(same, other, changes, &["value", "value", "renamed", "alias", "reserved", "gone"]) {
            "value" => writeln!(text, "  V{at}_{number} = {number};"),
            "renamed" => writeln!(text, "  R{at}_{number} = {number};"),
            "alias" => writeln!(text, "  V{at}_{number} = {number};\n  A{at}_{number} = {number};"),
            "reserved" => writeln!(text, "  reserved {number};\n  reserved \"V{at}_{number}\";"),
            _ => Ok(()),
        }
        .unwrap();
    }
    let range =
        draw(same, other, changes, &["10 to 20", "12 to 18", "10 to 14, 15 to 20", "10 to max", "11"]);
    writeln!(text, "  reserved {range};\n}}").unwrap();
}

fn message(same: &mut Chance, other: &mut Chance, changes: bool, syntax: &str, at: usize, text: &mut String) {
    writeln!(text, "message M{at} {{").unwrap();
    let range = draw(same, other, changes, &["30 to 40", "31 to 39", "30 to 34, 36 to 40", "30 to 50", "35"]);
    writeln!(text, "  reserved {range};").unwrap();
    for number in 1..10 {
        let mut kinds = SCALARS.to_vec();
        kinds.extend(["E0", "E1", "E2", "M0", "M1"]);
        let kind = draw(same, other, changes, &kinds);
        let name = draw(same, other, changes, &["f", "f", "f", "other_name"]);
        let label = match (draw(same, other, changes, &["", "", "optional", "repeated", "required"]), syntax)
        {
            ("" | "required", "proto3") => "",
            ("", _) => "optional",
            (label, _) => label,
        };
        let option = match draw(same, other, changes, &["", "", "", "default", "json", "js"]) {
            "default" if syntax == "proto2" && label != "repeated" => default(kind, same.below(3)),
            "json" => format!(" [json_name = \"j{number}\"]"),
            "js" if kind.contains("64") => " [jstype = JS_STRING]".to_owned(),
            _ => String::new(),
        };
        let line = match draw(same, other, changes, &["", "", "", "", "oneof", "map", "gone", "reserved"]) {
            "oneof" => format!("oneof o{number} {{\n    {kind} {name}{number} = {number};\n  }}"),
            "map" => format!("map<string, {kind}> {name}{number} = {number};"),
            "gone" => continue,
            "reserved" => format!("reserved {number};\n  reserved \"f{number}\";"),
            _ => format!("{label} {kind} {name}{number} = {number}{option};"),
        };
        writeln!(text, "  {line}").unwrap();
    }
    text.push_str("}\n");
}

fn default(kind: &str, at: usize) -> String {
    let value = match kind {
        "bool" => ["true", "false", "true"][at].to_owned(),
        "string" | "bytes" => ["\"\"", "\"a\\001\"", "\"b\""][at].to_owned(),
        "float" | "double" => ["0.1", "7", "-inf"][at].to_owned(),
        "E0" | "E1" | "E2" => kind.replace('E', "ZERO"),
        "M0" | "M1" => return String::new(),
        _ => ["0", "7", "8"][at].to_owned(),
    };
    format!(" [default = {value}]")
}

fn service(same: &mut Chance, other: &mut Chance, changes: bool, text: &mut String) {
    text.push_str("service S {\n");
    for at in 0..4 {
        let [sends, gives] = [(); 2].map(|()| draw(same, other, changes, &["", "", "stream "]));
        let [takes, answers] = [(); 2].map(|()| draw(same, other, changes, &["M0", "M1", "M2"]));
        let option = match draw(same, other, changes, &["", "", "IDEMPOTENT", "NO_SIDE_EFFECTS", "gone"]) {
            "gone" => continue,
            "" => ";".to_owned(),
            level => format!(" {{\n    option idempotency_level = {level};\n  }}"),
        };
        writeln!(text, "  rpc R{at}({sends}{takes}) returns ({gives}{answers}){option}").unwrap();
    }
    text.push_str("}\n");
}
