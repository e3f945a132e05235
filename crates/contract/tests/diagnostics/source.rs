//! FH1xxx: what does not compile.

use insta::assert_snapshot;

use crate::{PRODUCT, catalog, contract, needs, orders, report};

#[test]
fn fh1001_a_syntax_error_is_underlined() {
    assert_snapshot!(report([orders("message Order {\n  string id = ;\n}")]), @r"
    error[FH1001]: expected an integer, but found ';'
     --> orders/v1/orders.proto:6:15
      |
    6 |   string id = ;
      |               ^ found here
      |
    ");
}

#[test]
fn fh1001_a_type_that_does_not_exist_is_underlined_behind_letters_of_several_bytes() {
    assert_snapshot!(report([orders("message Order { /* Größe, Länge */ Line line = 1; }")]), @r"
    error[FH1001]: name 'Line' is not defined
     --> orders/v1/orders.proto:5:36
      |
    5 | message Order { /* Größe, Länge */ Line line = 1; }
      |                                    ^^^^ found here
      |
    ");
}

#[test]
fn fh1001_an_option_that_does_not_exist_is_underlined() {
    assert_snapshot!(report([orders("service S {\n  rpc A(B) returns (B) {\n    option (freehold.v1.call).dedline = { seconds: 1 };\n  }\n}\nmessage B {}")]), @r"
    error[FH1001]: option field '(freehold.v1.call).dedline' is not defined
     --> orders/v1/orders.proto:7:5
      |
    7 |     option (freehold.v1.call).dedline = { seconds: 1 };
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ found here
      |
    ");
}

#[test]
fn fh1001_a_message_value_of_an_option_says_what_is_wrong_inside_it() {
    assert_snapshot!(report([needs("option (freehold.v1.calls) = { methd: \"a.B/C\" };")]), @r#"
    error[FH1001]: invalid value of type 'repeated freehold.v1.CallNeed' for option '(freehold.v1.calls)': field 'methd' not found for message 'freehold.v1.CallNeed'
     --> orders/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.calls) = { methd: "a.B/C" };
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ found here
      |
    "#);
}

#[test]
fn fh1001_a_double_import_is_underlined() {
    assert_snapshot!(report([orders("import \"freehold/v1/contract.proto\";")]), @r#"
    error[FH1001]: `freehold/v1/contract.proto` is imported twice
     --> orders/v1/orders.proto:5:1
      |
    5 | import "freehold/v1/contract.proto";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ again here
      |
    "#);
}

#[test]
fn fh1001_an_end_in_the_middle_is_shown_at_the_last_line() {
    assert_snapshot!(report([orders("message Order {")]), @r"
    error[FH1001]: expected a message field, oneof, reserved range, enum, message, option or '}', but reached end of file
     --> orders/v1/orders.proto:5:16
      |
    5 | message Order {
      |                ^
      |
    ");
}

#[test]
fn fh1002_two_files_of_one_path_are_refused() {
    assert_snapshot!(report([orders(""), orders("message Order {}")]), @r"
    error[FH1002]: two files have the path `orders/v1/orders.proto`
     --> orders/v1/orders.proto
      |
      = help: a path below the root of the contracts names one file; remove one of the two roots or files
    ");
}

#[test]
fn fh1003_a_bracket_too_many_is_underlined() {
    let value = format!("option (freehold.v1.calls) = {} {};", "{ a ".repeat(65), "}".repeat(65));
    assert_snapshot!(report([needs(&value)]), @r"
    error[FH1003]: brackets nest more than 64 deep
     --> orders/v1/needs.proto:5:286
      |
    5 | { a { a { a { a { a { a { a { a { a { a { a  }}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}};
      |                                         ^ opens one too many
      |
      = help: give the inner messages names of their own
    ");
}

#[test]
fn fh1003_a_file_of_many_megabytes_is_refused_unread() {
    assert_snapshot!(report([("big.proto".to_owned(), " ".repeat(5_000_000))]), @r"
    error[FH1003]: `big.proto` has 5000000 bytes; at most 4194304 are compiled
     --> big.proto
      |
      = help: split the file
    ");
}

#[test]
fn fh1004_a_missing_import_suggests_the_nearest_file() {
    assert_snapshot!(report([catalog(PRODUCT), orders("import \"catalog/v1/catalogue.proto\";")]), @r#"
    error[FH1004]: the import `catalog/v1/catalogue.proto` does not exist
     --> orders/v1/orders.proto:5:1
      |
    5 | import "catalog/v1/catalogue.proto";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no such file
      |
      = help: did you mean this?
                  import "catalog/v1/catalog.proto";
    "#);
}

#[test]
fn fh1005_a_circle_of_imports_is_shown_file_by_file() {
    let files = [
        contract("a.proto", "a.v1", "import \"b.proto\";", ""),
        contract("b.proto", "b.v1", "import \"c.proto\";", ""),
        contract("c.proto", "c.v1", "import \"a.proto\";", ""),
        contract("d.proto", "d.v1", "import \"a.proto\";", ""),
    ];
    assert_snapshot!(report(files), @r#"
    error[FH1005]: files import each other in a circle: a.proto -> b.proto -> c.proto -> a.proto
     --> a.proto:4:1
      |
    4 | import "b.proto";
      | ^^^^^^^^^^^^^^^^^
      |
     ::: b.proto:4:1
      |
    4 | import "c.proto";
      | -----------------
      |
     ::: c.proto:4:1
      |
    4 | import "a.proto";
      | -----------------
      |
      = help: move what both sides need into a file of its own that imports neither
    "#);
}

#[test]
fn fh1005_a_file_that_imports_itself_is_a_circle() {
    assert_snapshot!(report([contract("a.proto", "a.v1", "import \"a.proto\";", "")]), @r#"
    error[FH1005]: files import each other in a circle: a.proto -> a.proto
     --> a.proto:4:1
      |
    4 | import "a.proto";
      | ^^^^^^^^^^^^^^^^^
      |
      = help: move what both sides need into a file of its own that imports neither
    "#);
}

#[test]
fn fh1006_a_changed_copy_of_the_language_is_refused() {
    assert_snapshot!(report([("freehold/v1/contract.proto".to_owned(), "syntax = \"proto3\";".to_owned())]), @r"
    error[FH1006]: `freehold/v1/contract.proto` is not the contract language that this version speaks
     --> freehold/v1/contract.proto
      |
      = help: remove freehold/v1/contract.proto: the language is built in
    ");
}

#[test]
fn errors_of_several_files_are_all_reported_and_those_that_follow_from_them_are_not() {
    let files = [
        contract("a.proto", "a.v1", "", "message A { Missing one = 1; Missing two = 2; }"),
        contract("b.proto", "b.v1", "import \"a.proto\";", "message B { a.v1.A a = 1; }"),
        contract("c.proto", "c.v1", "import \"nowhere.proto\";", "message C {}"),
        contract("d.proto", "d.v1", "", "mesage D {}"),
    ];
    assert_snapshot!(report(files), @r#"
    error[FH1001]: name 'Missing' is not defined
     --> a.proto:5:13
      |
    5 | message A { Missing one = 1; Missing two = 2; }
      |             ^^^^^^^ found here
      |

    error[FH1001]: name 'Missing' is not defined
     --> a.proto:5:30
      |
    5 | message A { Missing one = 1; Missing two = 2; }
      |                              ^^^^^^^ found here
      |

    error[FH1004]: the import `nowhere.proto` does not exist
     --> c.proto:4:1
      |
    4 | import "nowhere.proto";
      | ^^^^^^^^^^^^^^^^^^^^^^^ no such file
      |
      = help: imports name files by their path below the root of the contracts

    error[FH1001]: expected 'enum', 'extend', 'import', 'message', 'option', 'service', 'package' or ';', but found 'mesage'
     --> d.proto:5:1
      |
    5 | mesage D {}
      | ^^^^^^ found here
      |
    "#);
}
