//! K15 and K3 over editions: the tree written in an edition says what it said in proto3, or is told where it does not.
//!
//! Our compiler reads proto2 and proto3, so each tree is a descriptor set that buf made, in editions/. Where buf is there
//! the sets are made again and compared; a set that is missing is then written.

use std::fs;
use std::path::Path;

use freehold_contract::compat::{Contract, Life, mesh};
use freehold_contract::load_descriptors;
use prost_reflect::Syntax;

use crate::{CATALOG, Edit, baseline, buf::Buf, edited, line, tree};

/// What a state says beyond proto3, by the features of editions.
struct Case {
    name: &'static str,
    edition: &'static str,
    edits: &'static [Edit<'static>],
    /// The findings against the tree as it is.
    expected: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case { name: "same", edition: "2023", edits: &[], expected: &[] },
    Case { name: "same-2024", edition: "2024", edits: &[], expected: &[] },
    Case {
        name: "explicit",
        edition: "2023",
        edits: &[(CATALOG, "int32 cents = 2;", "int32 cents = 2 [features.field_presence = EXPLICIT];")],
        expected: &["FH3205 Warning orders=potentially affected"],
    },
    Case {
        name: "implicit",
        edition: "2023",
        edits: &[(CATALOG, "int32 rank = 10 [features.field_presence = EXPLICIT];", "int32 rank = 10;")],
        expected: &["FH3205 Error anybody=potentially affected shop=broken"],
    },
    Case {
        name: "required",
        edition: "2023",
        edits: &[(
            CATALOG,
            "string prefix = 1;",
            "string prefix = 1 [features.field_presence = LEGACY_REQUIRED];",
        )],
        expected: &["FH3205 Error shop=broken"],
    },
    Case {
        name: "closed",
        edition: "2023",
        // What a closed enum lacks would be zero: a field of one has to tell that it is absent.
        edits: &[
            (CATALOG, "enum Depot {\n", "enum Depot {\n  option features.enum_type = CLOSED;\n"),
            (CATALOG, "Depot depot = 2;", "Depot depot = 2 [features.field_presence = EXPLICIT];"),
        ],
        expected: &["FH3205 Note", "FH3209 Note"],
    },
    Case {
        name: "delimited",
        edition: "2024",
        edits: &[(CATALOG, "Size size = 5;", "Size size = 5 [features.message_encoding = DELIMITED];")],
        expected: &["FH3201 Error orders=broken"],
    },
    Case {
        name: "default",
        edition: "2023",
        edits: &[(CATALOG, "int32 percent = 5;", "int32 percent = 5 [default = 7];")],
        expected: &["FH3206 Error orders=broken"],
    },
    Case {
        name: "removed",
        edition: "2024",
        edits: &[(CATALOG, "  int32 new_cents = 2;\n", "")],
        expected: &["FH3007 Error orders=broken"],
    },
    // Expanded numbers, unchecked strings: every reader takes both, so nobody is told.
    Case {
        name: "encodings",
        edition: "2023",
        edits: &[
            (
                CATALOG,
                "option (freehold.v1.owner)",
                "option features.utf8_validation = NONE;\noption (freehold.v1.owner)",
            ),
            (
                CATALOG,
                "option (freehold.v1.contact)",
                "option features.repeated_field_encoding = EXPANDED;\noption (freehold.v1.contact)",
            ),
        ],
        expected: &[],
    },
];

/// A text of proto3 in the words of an edition.
fn in_edition(text: &str, edition: &str) -> String {
    let head = format!("edition = \"{edition}\";\noption features.field_presence = IMPLICIT;");
    // Options of the language travel without the file that declares them.
    let import = if edition == "2024" { "import option \"" } else { "import \"" };
    text.replace("syntax = \"proto3\";", &head)
        .replace("import \"freehold/", &format!("{import}freehold/"))
        .replace("import \"google/", &format!("{import}google/"))
        .replace("optional int32 rank = 10;", "int32 rank = 10 [features.field_presence = EXPLICIT];")
        .replace("reserved \"weight\";", "reserved weight;")
        .replace("reserved \"STATE_LOST\";", "reserved STATE_LOST;")
}

fn texts(case: &Case) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> =
        tree().into_iter().map(|(path, text)| (path.to_owned(), in_edition(&text, case.edition))).collect();
    for (path, from, to) in case.edits {
        let (_, text) = files.iter_mut().find(|(name, _)| name == path).expect("the tree has the file");
        assert_eq!(text.matches(from).count(), 1, "`{from}` stands once in {path}");
        *text = text.replace(from, to);
    }
    files
}

/// What buf makes of the texts: their files alone, for the language is built in.
fn built(buf: &Buf, case: &Case) -> Vec<u8> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let language = ["freehold/v1/contract.proto", "google/api/annotations.proto", "google/api/http.proto"];
    let language =
        language.map(|path| (path.to_owned(), fs::read_to_string(proto.join(path)).expect("it is there")));
    let own: Vec<String> =
        ["catalog", "orders", "consumers"].map(|folder| format!("{}/{folder}", case.name)).into();
    let mut alone = vec!["--exclude-source-info", "--exclude-imports"];
    alone.extend(own.iter().flat_map(|folder| ["--path", folder.as_str()]));
    buf.build(case.name, &[texts(case), language.into()].concat(), &alone)
}

/// The set of a case.
fn set(case: &Case, buf: Option<&Buf>) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mesh/editions");
    let path = folder.join(format!("{}.binpb", case.name));
    if let Some(buf) = buf {
        let built = built(buf, case);
        if !path.exists() {
            fs::write(&path, &built).expect("it can be written");
        }
        assert_eq!(fs::read(&path).expect("it is there"), built, "{} is old: remove it", path.display());
    }
    fs::read(&path).expect("the set is committed")
}

/// Planted: an enum that counts as closed in every file that is not proto3, presence that is taken from the file alone,
/// and a delimited message that is taken for a message.
#[test]
fn k15_proto3_and_an_edition_with_the_same_features_are_the_same() {
    let buf = Buf::find();
    for case in CASES {
        let current = Contract::decode(&set(case, buf.as_ref())).expect("the set is understood");
        let report = mesh(&[baseline("main", edited(&[]), Life::Live)], &current);
        let lines: Vec<String> = report.findings.iter().map(line).collect();
        assert_eq!(lines, case.expected, "{}", case.name);
        let twin = baseline("main", current.clone(), Life::Live);
        assert_eq!(mesh(&[twin], &current).findings, [], "{} compared with itself", case.name);
    }
}

/// What says no more than proto3 becomes proto3, so that all that is made of contracts can be made of it.
#[test]
fn a_file_of_an_edition_becomes_the_syntax_that_says_the_same() {
    let syntax = |name: &str| {
        let case = CASES.iter().find(|case| case.name == name).expect("there is such a case");
        let model = load_descriptors(&set(case, None)).expect("the set is understood");
        model.pool.get_file_by_name(CATALOG).expect("it is in the set").syntax()
    };
    for name in ["same", "same-2024", "explicit", "removed", "encodings"] {
        assert_eq!(syntax(name), Syntax::Proto3, "{name}");
    }
    for name in ["required", "closed", "delimited", "default"] {
        assert_eq!(syntax(name), Syntax::Proto2, "{name}");
    }
}
