//! The document of the library: every operation that there is, as it is answered.

use freehold_transcode::openapi::document;
use serde_json::{Value, json};

use crate::contract::CONTRACT;

fn library() -> Value {
    document(CONTRACT.descriptors, "Library", "1.2.3").unwrap()
}

/// The parameters of an operation in a place, each as its name; one that is required with a mark.
fn parameters(operation: &Value, place: &str) -> Vec<String> {
    let all = operation["parameters"].as_array().unwrap().iter();
    let own = all.filter(|parameter| parameter["in"] == place);
    let name = |parameter: &Value| parameter["name"].as_str().unwrap().to_owned();
    own.map(|parameter| name(parameter) + if parameter["required"] == true { "!" } else { "" }).collect()
}

#[test]
fn every_rpc_is_an_operation_where_its_option_puts_it() {
    let document = library();
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, operations)| {
        let of = |(verb, operation): (&String, &Value)| {
            let id = operation["operationId"].as_str().unwrap();
            format!("{verb} {path} {}", id.strip_prefix("library.v1.LibraryService.").unwrap())
        };
        operations.as_object().unwrap().iter().map(of).collect::<Vec<_>>()
    });
    let expected = [
        // A verb that a document has no word for: by name instead. What streams both ways has no place at all.
        "post /library.v1.LibraryService/Count Count",
        "get /v1/anywhere/{id} GetShelf.3",
        "post /v1/books:import Import",
        "get /v1/places/{id} GetShelf.2",
        "get /v1/search Search",
        "post /v1/shelves CreateShelf",
        "get /v1/shelves/default GetDefaultShelf",
        "delete /v1/shelves/{id} DeleteShelf",
        "get /v1/shelves/{id} GetShelf",
        "patch /v1/shelves/{id} ReplaceShelf.2",
        "put /v1/shelves/{id} ReplaceShelf",
        "post /v1/shelves/{id}:close CloseShelf",
        "get /v1/shelves/{id}:watch Watch",
        "get /v1/{name} GetBook",
    ];
    assert_eq!(operations.collect::<Vec<_>>(), expected);
    assert_eq!(document["info"]["title"], "Library");
    assert_eq!(document["tags"][0]["description"], "The only service.\n\nOwner: library.");
}

#[test]
fn what_a_route_takes_from_path_query_and_body_is_told_apart() {
    let document = library();
    let paths = &document["paths"];
    let search = &paths["/v1/search"]["get"];
    let query = [
        "words",
        "where.shelf",
        "where.light",
        "where.within.shelf",
        "where.within.light",
        "mostPages",
        "lights",
        "since",
        "within",
        "lent",
        "leastPages",
        "left",
        "right",
        "mark",
        "score",
    ];
    assert_eq!(parameters(search, "query"), query);
    assert_eq!(search["requestBody"], Value::Null);
    let create = &paths["/v1/shelves"]["post"];
    assert_eq!(parameters(create, "query"), ["dryRun", "reason"]);
    let schema = &create["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(
        *schema,
        json!({"$ref": "#/components/schemas/library.v1.Shelf", "description": "The shelf."})
    );
    // The path is that of the first operation there; its names count.
    let replace = &paths["/v1/shelves/{id}"]["put"];
    assert_eq!((parameters(replace, "path"), parameters(replace, "query")), (vec!["id!".to_owned()], vec![]));
    let close =
        &paths["/v1/shelves/{id}:close"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(close["properties"], json!({}), "the only field is in the path");
    let book = &paths["/v1/{name}"]["get"]["parameters"][0];
    assert_eq!(book["description"], "The name.\n\nAs in /v1/{name=shelves/*/books/*}.");
}

#[test]
fn a_schema_says_what_the_contract_does() {
    let document = library();
    let schemas = &document["components"]["schemas"];
    let shelf = json!({
        "type": "object",
        "description": "A shelf.",
        "properties": {
            "id": {"type": "string", "description": "The id.", "minLength": 1, "maxLength": 64},
            "theme": {"type": "string", "description": "What it is about."},
            "light": {"$ref": "#/components/schemas/library.v1.Light", "description": "How it is lit."},
            "books": {
                "type": "array", "items": {"$ref": "#/components/schemas/library.v1.Book"}, "maxItems": 100,
                "description": "Its books.",
            },
            "note": {"type": "string", "description": "What the team thinks of it.", "writeOnly": true},
        },
        "required": ["id"],
    });
    assert_eq!(schemas["library.v1.Shelf"], shelf);
    let pages = &schemas["library.v1.Book"]["properties"]["pages"];
    assert_eq!(pages["description"], "How many pages it has.\n\nFrom 1 to 10000.");
    let light = &schemas["library.v1.Light"];
    assert_eq!(light["enum"], json!(["LIGHT_UNSPECIFIED", "LIGHT_DAY", "LIGHT_LAMP"]));
    assert!(light["description"].as_str().unwrap().contains("- LIGHT_LAMP: By a lamp."));
    let search = &schemas["library.v1.SearchRequest"];
    assert_eq!(search["description"], "Looks for books.\n\nAt most one of left, right.");
    assert_eq!(search["properties"]["tags"]["additionalProperties"], json!({"type": "string"}));
    assert_eq!(search["properties"]["since"]["format"], "date-time");
}

#[test]
fn streams_errors_and_headers_are_told() {
    let document = library();
    let watch = &document["paths"]["/v1/shelves/{id}:watch"]["get"]["responses"];
    assert!(watch["200"]["content"]["application/x-ndjson"].is_object(), "{watch}");
    assert!(watch["200"]["description"].as_str().unwrap().starts_with("A stream"));
    assert_eq!(watch["default"], json!({"$ref": "#/components/responses/Error"}));
    let import = &document["paths"]["/v1/books:import"]["post"]["requestBody"];
    assert!(import["content"]["application/x-ndjson"].is_object(), "{import}");
    let shared = |verb: &str| {
        let all = document["paths"]["/v1/shelves/{id}"][verb]["parameters"].as_array().unwrap().clone();
        all.iter()
            .filter_map(|parameter| Some(parameter["$ref"].as_str()?.rsplit('/').next()?.to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(shared("get"), ["Caller", "Session", "Timeout", "Trace"]);
    assert_eq!(shared("delete"), ["Caller", "Session", "Timeout", "Trace", "Key"]);
}

/// A reference to a schema that is not there would send every reader of the document astray.
#[test]
fn every_reference_leads_somewhere() {
    let document = library();
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let found = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(found.is_some_and(Value::is_object), "{reference}");
        }
        match value {
            Value::Array(items) => left.extend(items),
            Value::Object(members) => left.extend(members.values()),
            _ => {}
        }
    }
}
