//! FH43xx: chains of synchronous calls. K12.

use insta::assert_snapshot;

use crate::{contract, report};

/// A service with one read, which has these options beside.
fn service(name: &str, method: &str, options: &str) -> (String, String) {
    let owner = format!("option (freehold.v1.owner) = \"{name}\";");
    let service = format!(
        "message {method}Request {{ string id = 1; }}
message {method}Row {{
  option (freehold.v1.entity).key = \"id\";
  string id = 1;
}}
service {}Service {{
  rpc {method}({method}Request) returns ({method}Row) {{
    option idempotency_level = NO_SIDE_EFFECTS;
{options}
  }}
}}",
        name.to_uppercase()
    );
    contract(&format!("{name}/v1/{name}.proto"), &format!("{name}.v1"), &owner, &service)
}

/// The needs of a service: these lines.
fn needs(name: &str, lines: &str) -> (String, String) {
    let consumer = format!("option (freehold.v1.consumer) = \"{name}\";");
    contract(&format!("{name}/v1/needs.proto"), &format!("{name}.v1"), &consumer, lines)
}

/// A call of the method, from the method; from none where that is empty.
fn call(to: &str, method: &str, from: &str) -> String {
    let from = if from.is_empty() { String::new() } else { format!(" from: \"{from}\"") };
    let (package, service) = (format!("{to}.v1"), format!("{}Service", to.to_uppercase()));
    format!("option (freehold.v1.calls) = {{ method: \"{package}.{service}/{method}\"{from} }};\n")
}

#[test]
fn fh4301_a_circle_of_calls_is_shown_hop_by_hop() {
    let files = [
        service("a", "GetA", ""),
        service("b", "GetB", ""),
        service("c", "GetC", ""),
        needs("a", &call("b", "GetB", "GetA")),
        needs("b", &call("c", "GetC", "GetB")),
        needs("c", &call("a", "GetA", "GetC")),
    ];
    assert_snapshot!(report(files), @r#"
    error[FH4301]: calls wait for themselves: a.v1.AService/GetA -> b.v1.BService/GetB -> c.v1.CService/GetC -> a.v1.AService/GetA
     --> a/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.calls) = { method: "b.v1.BService/GetB" from: "GetA" };
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ 1
      |
     ::: b/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.calls) = { method: "c.v1.CService/GetC" from: "GetB" };
      | --------------------------------------------------------------------------- 2
      |
     ::: c/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.calls) = { method: "a.v1.AService/GetA" from: "GetC" };
      | --------------------------------------------------------------------------- 3
      |
      = help: read a copy there instead of calling `b.v1.BService/GetB`:
                  option (freehold.v1.replica).of = "b.v1.GetBRow";
    "#);
}

/// Without `from` any RPC of the consumer may make the call, and a saga's steps may be run by any.
#[test]
fn fh4301_a_call_without_from_and_a_step_are_those_of_the_whole_service() {
    let stock = "message HoldRequest { string id = 1; }
message HoldReply {}
message FreeRequest { string id = 1; }
message FreeReply {}
service BService {
  rpc Hold(HoldRequest) returns (HoldReply) {
    option (freehold.v1.call) = { keyed: true undo: \"Free\" };
  }
  rpc Free(FreeRequest) returns (FreeReply) { option (freehold.v1.call).keyed = true; }
}";
    let stock = contract("b/v1/b.proto", "b.v1", "option (freehold.v1.owner) = \"b\";", stock);
    let step = "option (freehold.v1.steps) = \"b.v1.BService/Hold\";";
    let any = [service("a", "GetA", ""), stock.clone(), needs("a", step), needs("b", &call("a", "GetA", ""))];
    assert_snapshot!(report(any), @r#"
    error[FH4301]: calls wait for themselves: a.v1.AService/GetA -> b.v1.BService/Hold -> a.v1.AService/GetA
     --> a/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.steps) = "b.v1.BService/Hold";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ 1: a saga's step
      |
     ::: b/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.calls) = { method: "a.v1.AService/GetA" };
      | -------------------------------------------------------------- 2: any RPC may make it, as it names no `from`
      |
      = help: read a copy there instead of calling `a.v1.AService/GetA`:
                  option (freehold.v1.replica).of = "a.v1.GetARow";
              or, where one RPC alone makes the call, name it:
                  option (freehold.v1.calls) = { method: "a.v1.AService/GetA" from: ".." };
    "#);
    let undo = [service("a", "GetA", ""), stock, needs("a", step), needs("b", &call("a", "GetA", "Free"))];
    assert_snapshot!(report(undo), @r#"
    error[FH4301]: calls wait for themselves: a.v1.AService/GetA -> b.v1.BService/Free -> a.v1.AService/GetA
     --> a/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.steps) = "b.v1.BService/Hold";
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ 1: a saga, taking the step back
      |
     ::: b/v1/needs.proto:5:1
      |
    5 | option (freehold.v1.calls) = { method: "a.v1.AService/GetA" from: "Free" };
      | --------------------------------------------------------------------------- 2
      |
      = help: read a copy there instead of calling `a.v1.AService/GetA`:
                  option (freehold.v1.replica).of = "a.v1.GetARow";
    "#);
}

/// Two services may call each other, as long as no call waits for itself.
#[test]
fn calls_in_both_directions_that_are_no_circle_stand() {
    let b = service(
        "b",
        "GetB",
        "  }\n  rpc PutB(PutBRequest) returns (GetBRow) {\n    option (freehold.v1.call).keyed = true;",
    );
    let b = (b.0, format!("{}message PutBRequest {{ string id = 1; }}\n", b.1));
    let files = [
        service("a", "GetA", ""),
        b,
        needs("a", &call("b", "GetB", "GetA")),
        needs("b", &call("a", "GetA", "PutB")),
    ];
    assert_eq!(report(files), "");
}

/// A ring of calls beside a tree of them, and a call of a team outside: nothing of it but the ring is a circle.
#[test]
fn what_only_leads_to_a_circle_is_not_in_it() {
    let files = [
        service("a", "GetA", ""),
        service("b", "GetB", ""),
        service("c", "GetC", ""),
        service("d", "GetD", ""),
        needs("a", &call("b", "GetB", "GetA")),
        needs("b", &(call("c", "GetC", "GetB") + &call("d", "GetD", "GetB"))),
        needs("c", &call("b", "GetB", "GetC")),
        needs("team", &call("a", "GetA", "")),
    ];
    let report = report(files);
    assert!(report.contains(
        "calls wait for themselves: b.v1.BService/GetB -> c.v1.CService/GetC -> b.v1.BService/GetB\n"
    ));
    assert_eq!(report.matches("error[").count(), 1, "{report}");
}

/// Circles that hang together are all there, up to ten; the eleventh waits for the next run.
#[test]
fn circles_that_share_a_method_are_each_reported() {
    let others = ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let tree = |others: &[&str]| {
        let mut files = vec![service("a", "GetIt", "")];
        let mut calls = String::new();
        for other in others {
            files.push(service(other, "GetIt", ""));
            files.push(needs(other, &call("a", "GetIt", "GetIt")));
            calls.push_str(&call(other, "GetIt", "GetIt"));
        }
        files.push(needs("a", &calls));
        report(files)
    };
    assert_eq!(tree(&others[..3]).matches("error[FH4301]").count(), 3);
    assert_eq!(tree(&others).matches("error[FH4301]").count(), 10);
}

/// Two services of 2000 methods each, which call each other in turn: 4000 hops.
fn zigzag(ring: bool) -> String {
    let mut texts = [String::new(), String::new()];
    let mut calls = [String::new(), String::new()];
    for index in 0..2000 {
        let next = if ring { (index + 1) % 2000 } else { index + 1 };
        for (text, name) in texts.iter_mut().zip(["A", "B"]) {
            text.push_str(&format!(
                "message Get{index}Request {{}}\nservice {name}{index} {{
  rpc Get{index}(Get{index}Request) returns (Row) {{ option idempotency_level = NO_SIDE_EFFECTS; }}\n}}\n"
            ));
        }
        let need = |to: &str, from: usize| {
            format!(
                "option (freehold.v1.calls) = {{ method: \"{to}/Get{}\" from: \"Get{from}\" }};\n",
                to[6..].to_owned()
            )
        };
        calls[0].push_str(&need(&format!("b.v1.B{index}"), index));
        if next < 2000 {
            calls[1].push_str(&need(&format!("a.v1.A{next}"), index));
        }
    }
    let owner = |name: &str, text: &str| {
        let owner = format!("option (freehold.v1.owner) = \"{name}\";");
        contract(
            &format!("{name}/v1/{name}.proto"),
            &format!("{name}.v1"),
            &owner,
            &format!("{text}message Row {{}}"),
        )
    };
    report([owner("a", &texts[0]), owner("b", &texts[1]), needs("a", &calls[0]), needs("b", &calls[1])])
}

/// No search goes as deep as the chain is long; a circle of 4000 hops is one finding.
#[test]
fn a_long_chain_and_a_long_circle_are_judged() {
    assert_eq!(zigzag(false), "");
    assert_eq!(zigzag(true).matches("error[FH4301]").count(), 1);
}

#[test]
fn fh4302_a_chain_that_needs_more_than_its_caller_has_shows_the_figures() {
    let least = |nanos: u32| format!("    option (freehold.v1.call).min_deadline = {{ nanos: {nanos} }};");
    let tree = |deadline: u32| {
        let deadline = format!(
            "    option (freehold.v1.call).deadline = {{ nanos: {deadline} }};\n{}",
            least(50_000_000)
        );
        report([
            service("a", "GetA", &deadline),
            service("b", "GetB", &least(100_000_000)),
            service("c", "GetC", &least(150_000_000)),
            service("d", "GetD", &least(90_000_000)),
            needs("a", &(call("d", "GetD", "GetA") + &call("b", "GetB", "GetA"))),
            needs("b", &call("c", "GetC", "GetB")),
        ])
    };
    assert_snapshot!(tree(250_000_000), @r#"
    error[FH4302]: `a.v1.AService/GetA` has 250ms, and its chain of calls needs 300ms: a.v1.AService/GetA 50ms -> b.v1.BService/GetB 100ms -> c.v1.CService/GetC 150ms
      --> a/v1/a.proto:13:5
       |
    13 |     option (freehold.v1.call).deadline = { nanos: 250000000 };
       |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ 250ms
       |
      ::: a/v1/needs.proto:6:1
       |
     6 | option (freehold.v1.calls) = { method: "b.v1.BService/GetB" from: "GetA" };
       | ---------------------------------------------------------------------------
       |
      ::: b/v1/b.proto:13:5
       |
    13 |     option (freehold.v1.call).min_deadline = { nanos: 100000000 };
       |     -------------------------------------------------------------- 100ms
       |
      ::: b/v1/needs.proto:5:1
       |
     5 | option (freehold.v1.calls) = { method: "c.v1.CService/GetC" from: "GetB" };
       | ---------------------------------------------------------------------------
       |
      ::: c/v1/c.proto:13:5
       |
    13 |     option (freehold.v1.call).min_deadline = { nanos: 150000000 };
       |     -------------------------------------------------------------- 150ms
       |
       = help: give it the time that its calls need, or make the chain shorter:
                   option (freehold.v1.call).deadline = { nanos: 300000000 };
    "#);
    assert_eq!(tree(300_000_000), "", "what is needed and no more is enough");
}

/// Nobody waits at a call that no RPC makes, so it has no caller whose deadline could be too short.
#[test]
fn fh4302_is_silent_where_no_rpc_makes_the_call_and_where_fh4102_speaks() {
    let slow = "    option (freehold.v1.call).deadline = { seconds: 9 };\n    option (freehold.v1.call).min_deadline = { seconds: 8 };";
    let loose = [service("a", "GetA", ""), service("b", "GetB", slow), needs("a", &call("b", "GetB", ""))];
    assert_eq!(report(loose), "");
    let impossible = "    option (freehold.v1.call).min_deadline = { seconds: 3 };";
    let files =
        [service("a", "GetA", impossible), service("b", "GetB", ""), needs("a", &call("b", "GetB", "GetA"))];
    let report = report(files);
    assert_eq!((report.matches("error[").count(), report.matches("FH4102").count()), (1, 1), "{report}");
}

#[test]
fn fh4302_the_default_deadline_counts_and_a_long_chain_is_cut_short() {
    let least = "    option (freehold.v1.call).deadline = { seconds: 99 };\n    option (freehold.v1.call).min_deadline = { nanos: 150000000 };";
    let mut files = vec![service("a", "GetIt", ""), needs("a", &call("s0", "GetIt", "GetIt"))];
    for index in 0..20 {
        let name = format!("s{index}");
        files.push(service(&name, "GetIt", least));
        if index < 19 {
            files.push(needs(&name, &call(&format!("s{}", index + 1), "GetIt", "GetIt")));
        }
    }
    let report = report(files);
    let found = report.split("\n\n").find(|part| part.starts_with("error[FH4302]")).unwrap_or_default();
    let first = found.lines().next().unwrap_or_default();
    assert!(first.starts_with("error[FH4302]: `a.v1.AService/GetIt` has 2s, and its chain of calls needs 3s: a.v1.AService/GetIt 0ns -> "), "{first}");
    assert!(first.ends_with("-> s15.v1.S15Service/GetIt 150ms -> .."), "{first}");
}

#[test]
fn fh4303_a_call_that_outlasts_its_caller_is_a_warning() {
    let files = |longer: &str| {
        report([
            service("a", "GetA", "    option (freehold.v1.call).deadline = { seconds: 1 };"),
            service("b", "GetB", &format!("    option (freehold.v1.call).deadline = {{ {longer} }};")),
            needs("a", &call("b", "GetB", "GetA")),
        ])
    };
    assert_snapshot!(files("seconds: 2 nanos: 500000000"), @r#"
    warning[FH4303]: `b.v1.BService/GetB` may take 2.5s, and `a.v1.AService/GetA`, which calls it, has 1s
      --> a/v1/needs.proto:5:1
       |
     5 | option (freehold.v1.calls) = { method: "b.v1.BService/GetB" from: "GetA" };
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
      ::: b/v1/b.proto:13:5
       |
    13 |     option (freehold.v1.call).deadline = { seconds: 2 nanos: 500000000 };
       |     --------------------------------------------------------------------- longer
       |
      ::: a/v1/a.proto:13:5
       |
    13 |     option (freehold.v1.call).deadline = { seconds: 1 };
       |     ---------------------------------------------------- 1s
       |
       = help: give `GetA` at least as long, or shorten what it calls:
                   option (freehold.v1.call).deadline = { seconds: 2 nanos: 500000000 };
    "#);
    assert_eq!(files("seconds: 1"), "");
}
