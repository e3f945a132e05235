//! What a statement takes: the five types that both engines share, and a NULL that knows its type.
//!
//! PostgreSQL wants to know the type of every parameter, a NULL included, so `None::<i64>` keeps it.

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL, of a type.
    Null(Kind),
    /// BIGINT.
    Integer(i64),
    /// TEXT.
    Text(String),
    /// BLOB.
    Blob(Vec<u8>),
    /// BOOLEAN.
    Boolean(bool),
    /// DOUBLE PRECISION.
    Double(f64),
}

/// The type of a parameter or a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// BIGINT.
    Integer,
    /// TEXT.
    Text,
    /// BLOB.
    Blob,
    /// BOOLEAN.
    Boolean,
    /// DOUBLE PRECISION.
    Double,
}

/// A Rust type that is stored as one [`Kind`].
pub trait Stored: Into<Value> {
    /// The type that it is stored as.
    const KIND: Kind;
}

/// The parameters of a statement, in the order of `$1`, `$2`, ..: `vals![id, name, None::<i64>]`.
#[macro_export]
macro_rules! vals {
    ($($value:expr),* $(,)?) => { ::std::vec![$($crate::Value::from($value)),*] };
}

macro_rules! stored {
    ($($source:ty => $kind:ident by $convert:expr;)*) => {$(
        impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$kind($convert(value))
            }
        }
        impl Stored for $source {
            const KIND: Kind = Kind::$kind;
        }
    )*};
}

stored! {
    i64 => Integer by std::convert::identity;
    i32 => Integer by i64::from;
    u32 => Integer by i64::from;
    String => Text by std::convert::identity;
    &str => Text by str::to_owned;
    &String => Text by String::clone;
    Vec<u8> => Blob by std::convert::identity;
    &[u8] => Blob by <[u8]>::to_vec;
    &Vec<u8> => Blob by Vec::clone;
    bool => Boolean by std::convert::identity;
    f64 => Double by std::convert::identity;
}

impl<T: Stored> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null(T::KIND), Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_keeps_its_type() {
        assert_eq!(
            vals![1_i64, "a", None::<i64>, None::<&str>, Some(true)],
            vec![
                Value::Integer(1),
                Value::Text("a".to_owned()),
                Value::Null(Kind::Integer),
                Value::Null(Kind::Text),
                Value::Boolean(true),
            ]
        );
    }
}
