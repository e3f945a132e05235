//! The mesh, if one runs: whether its directory answers, and whether each service that it names serves.

use crate::doctor::verdict::Verdict;
use crate::place::Place;
use crate::status::Row;

/// Whether it serves. `owned` says that some process has a database of the folder open.
pub(crate) fn check(place: &Place, seen: &Result<Vec<Row>, String>, owned: bool) -> Verdict {
    match seen {
        Ok(rows) => {
            let down: Vec<String> = rows
                .iter()
                .filter(|row| row.state != "SERVING")
                .map(|row| format!("{} ({})", row.service, row.state))
                .collect();
            if down.is_empty() {
                return Verdict::ok("mesh", format!("all {} services at {place} serve", rows.len()));
            }
            let advice = "look into their logs; each says why it does not serve";
            Verdict::warn("mesh", format!("at {place} do not serve: {}", down.join(", ")), advice)
        }
        Err(_) if !owned => Verdict::ok("mesh", format!("none answers at {place}; `freehold up` starts one")),
        Err(problem) => {
            let found = format!("none answers at {place}, and yet the databases are open: {problem}");
            let advice = "name where it is with --mesh, or `--mesh env` for services that run one by one";
            Verdict::warn("mesh", found, advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::verdict::State;

    fn row(service: &str, state: &'static str) -> Row {
        Row { service: service.to_owned(), url: String::new(), state }
    }

    fn of(seen: Result<Vec<Row>, String>, owned: bool) -> Verdict {
        check(&Place::Directory("http://a:1".to_owned()), &seen, owned)
    }

    #[test]
    fn a_mesh_that_serves_and_none_at_all_are_fine() {
        assert_eq!(of(Ok(vec![row("users", "SERVING")]), true).state, State::Ok);
        assert_eq!(of(Err("refused".to_owned()), false).state, State::Ok);
    }

    #[test]
    fn a_service_that_does_not_serve_is_named() {
        let verdict = of(Ok(vec![row("users", "SERVING"), row("orders", "NOT_SERVING")]), true);
        assert_eq!(verdict.state, State::Warn);
        assert!(verdict.found.ends_with(": orders (NOT_SERVING)"), "{verdict:?}");
    }

    #[test]
    fn open_databases_of_a_mesh_that_is_not_found_are_doubted() {
        let verdict = of(Err("refused".to_owned()), true);
        assert_eq!(verdict.state, State::Warn);
        assert!(verdict.advice.contains("--mesh env"), "{verdict:?}");
    }
}
