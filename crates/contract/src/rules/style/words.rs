//! The shapes of names, and a name in another shape.

/// "order_line2", each word beginning with a letter, so that the JSON name says the same and nothing else.
pub(super) fn is_lower_snake(name: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.split('_').all(word)
}

/// "ORDER_STATE_PAID".
pub(super) fn is_upper_snake(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// "OrderLine", "HTTPRoute".
pub(super) fn is_camel(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase()) && !name.contains('_')
}

/// "v1", "v2beta1": the last part of a package.
pub(super) fn is_version(part: &str) -> bool {
    let mut bytes = part.bytes();
    bytes.next() == Some(b'v')
        && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// Whether the name begins with the verb as a word: `Get` in "GetOrder" and "Get", not in "Getaway".
pub(super) fn begins_with(name: &str, verb: &str) -> bool {
    let rest = name.strip_prefix(verb);
    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_lowercase()))
}

/// The name in lower_snake_case: "productID" and "PRODUCT-ID" are "product_id", "line_1" is "line1".
pub(super) fn lower_snake(name: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut before = '_';
    for letter in name.chars() {
        let begins = before == '_' || (letter.is_ascii_uppercase() && !before.is_ascii_uppercase());
        before = if letter.is_ascii_alphanumeric() { letter } else { '_' };
        if before == '_' {
            continue;
        }
        match words.last_mut().filter(|_| !begins || letter.is_ascii_digit()) {
            Some(word) => word.push(letter.to_ascii_lowercase()),
            None => words.push(letter.to_ascii_lowercase().to_string()),
        }
    }
    words.join("_")
}

/// The name in UpperCamelCase: "get_product" is "GetProduct".
pub(super) fn camel(name: &str) -> String {
    let snake = lower_snake(name);
    let capital = |word: &str| {
        word.chars()
            .take(1)
            .map(|first| first.to_ascii_uppercase())
            .chain(word.chars().skip(1))
            .collect::<String>()
    };
    snake.split('_').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_brought_into_shape() {
        let snakes = ["productId", "ProductID", "PRODUCT-ID", "line_1", "_x__y_", "latitude_e7", "", "größe"];
        assert_eq!(
            snakes.map(lower_snake),
            ["product_id", "product_id", "product_id", "line1", "x_y", "latitude_e7", "", "gr_e"]
        );
        assert_eq!(["get_product", "order", "GetX"].map(camel), ["GetProduct", "Order", "GetX"]);
    }

    #[test]
    fn a_name_in_shape_stays_what_it_is() {
        for name in ["id", "order_line2", "latitude_e7", "speed_cm_per_s"] {
            assert!(is_lower_snake(name) && lower_snake(name) == name, "{name}");
        }
        for name in ["", "Id", "orderLine", "line_1", "a__b", "_a", "a_"] {
            assert!(!is_lower_snake(name), "{name}");
        }
    }

    #[test]
    fn versions_and_verbs_are_whole_words() {
        assert!(["v1", "v12", "v2beta1", "v1p1alpha"].into_iter().all(is_version));
        assert!(!["v", "1", "vx", "catalog", "v1Beta", ""].into_iter().any(is_version));
        assert!(begins_with("GetOrder", "Get") && begins_with("Get", "Get"));
        assert!(!begins_with("Getaway", "Get") && !begins_with("BatchGet", "Get"));
    }
}
