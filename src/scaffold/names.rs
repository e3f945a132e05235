//! What the new service and what it owns are called, wherever the templates say `widgets` and `Widget`.

/// Words that are no names for a crate or a module: Rust's own, cargo's, and what a service or the SDK has already.
const TAKEN: [&str; 84] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "contract",
    "convert",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "freehold",
    "gen",
    "generated",
    "google",
    "grpc",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "lib",
    "loop",
    "macro",
    "main",
    "match",
    "methods",
    "mod",
    "move",
    "mut",
    "operations",
    "override",
    "pb",
    "ports",
    "priv",
    "proc_macro",
    "prost",
    "prost_types",
    "pub",
    "ref",
    "return",
    "sdk",
    "self",
    "static",
    "std",
    "store",
    "struct",
    "super",
    "test",
    "tests",
    "thiserror",
    "tokio",
    "tokio_util",
    "tonic",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "wire",
    "work",
    "yield",
];

/// Types that the templates name.
const TYPES: [&str; 22] = [
    "Bench",
    "Code",
    "Committed",
    "Consumer",
    "Context",
    "Err",
    "Feed",
    "Grpc",
    "Handle",
    "Host",
    "Mesh",
    "None",
    "Ok",
    "Option",
    "Options",
    "Result",
    "Row",
    "Self",
    "Some",
    "Status",
    "Store",
    "String",
];

/// The longest name.
const MOST: usize = 40;

/// Why a name is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    /// Not a plain word.
    #[error("`{0}` is no name for a service: it wants a lower-case letter, then letters, digits and `_`")]
    Service(String),
    /// Not a type's name.
    #[error(
        "`{0}` is no name for what it owns: it wants a capital, then letters and digits, as in `OrderLine`"
    )]
    Entity(String),
    /// Not free.
    #[error("`{0}` is taken, by Rust or by every service; choose another name{1}")]
    Taken(String, &'static str),
    /// Too long.
    #[error("`{0}` is too long: {MOST} letters at most")]
    Long(String),
}

/// The names of a new service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// "order_lines": the owner in the contracts, the crate, the package.
    pub(crate) service: String,
    /// "OrderLine": the message.
    pub(crate) entity: String,
}

impl Names {
    /// The names that were asked for; what it owns is called like the service, one of them, where nothing else is said.
    pub(crate) fn new(service: &str, entity: Option<&str>) -> Result<Self, NameError> {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        let begins = service.starts_with(|first: char| first.is_ascii_lowercase());
        if !begins || !service.chars().all(plain) || service.ends_with('_') || service.contains("__") {
            return Err(NameError::Service(service.to_owned()));
        }
        let entity = entity.map_or_else(|| capitalised(singular(service)), str::to_owned);
        let begins = entity.starts_with(|first: char| first.is_ascii_uppercase());
        if !begins || !entity.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            return Err(NameError::Entity(entity));
        }
        let names = Self { service: service.to_owned(), entity };
        names.are_free().map(|()| names)
    }

    fn are_free(&self) -> Result<(), NameError> {
        let (service, entity) = (&self.service, &self.entity);
        if let Some(long) = [service, entity].into_iter().find(|name| name.len() > MOST) {
            return Err(NameError::Long(long.clone()));
        }
        if TAKEN.contains(&service.as_str()) || service.starts_with("freehold_") {
            return Err(NameError::Taken(service.clone(), ""));
        }
        if TAKEN.contains(&snake(entity).as_str()) || TYPES.contains(&entity.as_str()) {
            return Err(NameError::Taken(entity.clone(), " with --entity"));
        }
        Ok(())
    }

    /// A template, or its path, with these names in it.
    pub(crate) fn fill(&self, template: &str) -> String {
        let (entity, shouted) = (snake(&self.entity), snake(&self.entity).to_uppercase());
        let words = [
            ("Widgets", capitalised(&self.service)),
            ("widgets", self.service.clone()),
            ("Widget", self.entity.clone()),
            ("widget", entity),
            ("WIDGET", shouted),
        ];
        // One pass, so that a name that holds a word of the templates is not filled in again.
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(next) = rest.chars().next() {
            let found = words.iter().find_map(|(word, name)| Some((rest.strip_prefix(word)?, name)));
            match found {
                Some((after, name)) => {
                    filled.push_str(name);
                    rest = after;
                }
                None => {
                    filled.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        filled
    }
}

/// One of several: "books" is "book". A word that does not end like a plural stays as it is.
fn singular(plural: &str) -> &str {
    let keeps = ["ss", "us", "is"].iter().any(|end| plural.ends_with(end));
    plural.strip_suffix('s').filter(|one| !keeps && one.len() > 1).unwrap_or(plural)
}

/// "order_line" as "OrderLine".
fn capitalised(snake: &str) -> String {
    snake
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

/// "OrderLine" as "order_line".
fn snake(capitalised: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in capitalised.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(service: &str, entity: Option<&str>) -> NameError {
        Names::new(service, entity).unwrap_err()
    }

    #[test]
    fn what_a_service_owns_is_called_like_one_of_it() {
        for (service, entity) in [
            ("books", "Book"),
            ("order_lines", "OrderLine"),
            ("inventory", "Inventory"),
            ("status", "Status2"),
            ("address", "Address"),
        ] {
            let asked = (service == "status").then_some("Status2");
            assert_eq!(Names::new(service, asked).unwrap().entity, entity);
        }
        assert_eq!(Names::new("catalog", Some("Product")).unwrap().entity, "Product");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for name in ["", "Books", "2books", "my-books", "books_", "my__books", "../books", "bücher", "a b"] {
            assert_eq!(refused(name, None), NameError::Service(name.to_owned()));
        }
        for name in ["", "book", "Order_Line", "Bücher", "2nd"] {
            assert_eq!(refused("books", Some(name)), NameError::Entity(name.to_owned()));
        }
        assert_eq!(refused(&"a".repeat(41), Some("A")), NameError::Long("a".repeat(41)));
    }

    #[test]
    fn what_is_taken_is_refused() {
        for name in ["self", "type", "test", "std", "tokio", "sdk", "wire", "freehold_books"] {
            assert_eq!(refused(name, Some("Book")), NameError::Taken(name.to_owned(), ""));
        }
        for name in ["Store", "Grpc", "String", "Type", "Tests", "Option"] {
            assert_eq!(refused("books", Some(name)), NameError::Taken(name.to_owned(), " with --entity"));
        }
        let said = refused("types", None).to_string();
        assert!(said.ends_with("choose another name with --entity"), "{said}");
    }

    #[test]
    fn the_names_are_filled_in_wherever_a_template_has_them() {
        let names = Names::new("order_lines", None).unwrap();
        let filled =
            names.fill("services/widgets/src/widget.rs: WidgetsService, Widget, GET_WIDGET, app_widget");
        assert_eq!(
            filled,
            "services/order_lines/src/order_line.rs: OrderLinesService, OrderLine, GET_ORDER_LINE, app_order_line"
        );
        let names = Names::new("widget_users", Some("WidgetUser")).unwrap();
        assert_eq!(names.fill("Widget of widgets"), "WidgetUser of widget_users");
    }
}
