//! What a release keeps of contracts: their descriptor set, with every name, number and option, and without source info.
//!
//! Comments and the order of lines do not make another release, and nobody reads old comments out of it. The set is cut
//! field by field as it is encoded: decoding and encoding it again would lose custom options.
//! **Invariant:** the same contracts give the same bytes.

use prost::DecodeError;
use prost::encoding::{DecodeContext, decode_key, encode_key, encode_varint, skip_field};

use crate::model::Model;

/// The number of `file` in a `FileDescriptorSet`.
const FILE: u32 = 1;
/// The number of `source_code_info` in a `FileDescriptorProto`.
const SOURCE_CODE_INFO: u32 = 9;

/// The encoded `FileDescriptorSet` of the contracts, imports included, as a release keeps it.
#[must_use]
pub fn release_bytes(model: &Model) -> Vec<u8> {
    // The set was encoded by us; where that could not be read, it is kept as it is.
    without_source_info(&model.descriptors).unwrap_or_else(|_| model.descriptors.clone())
}

fn without_source_info(set: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut kept = Vec::with_capacity(set.len());
    for field in fields(set)? {
        if field.number != FILE {
            kept.extend_from_slice(field.whole);
            continue;
        }
        let file: Vec<u8> = fields(field.value)?
            .into_iter()
            .filter(|field| field.number != SOURCE_CODE_INFO)
            .flat_map(|field| field.whole.iter().copied())
            .collect();
        encode_key(FILE, prost::encoding::WireType::LengthDelimited, &mut kept);
        encode_varint(file.len() as u64, &mut kept);
        kept.extend_from_slice(&file);
    }
    Ok(kept)
}

/// A field of an encoded message.
struct Field<'a> {
    number: u32,
    /// Key and value.
    whole: &'a [u8],
    /// Without the key and, where it has one, the length.
    value: &'a [u8],
}

fn fields(message: &[u8]) -> Result<Vec<Field<'_>>, DecodeError> {
    let mut fields = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let whole = rest;
        let (number, wire_type) = decode_key(&mut rest)?;
        let mut after_length = rest;
        skip_field(wire_type, number, &mut rest, DecodeContext::default())?;
        if wire_type == prost::encoding::WireType::LengthDelimited {
            prost::encoding::decode_varint(&mut after_length)?;
        }
        let value = &after_length[..after_length.len() - rest.len()];
        fields.push(Field { number, whole: &whole[..whole.len() - rest.len()], value });
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::{Sources, load, load_descriptors};

    const SHOP: &str = "syntax = \"proto3\";\npackage shop.v1;\nimport \"freehold/v1/contract.proto\";\n\
                        option (freehold.v1.owner) = \"shop\";\nmessage Item {\n  string id = 1 [(freehold.v1.field).private = true];\n}\n";

    fn released(text: &str) -> Vec<u8> {
        let sources: Sources = [("shop/v1/shop.proto", text)].into_iter().collect();
        release_bytes(&load(&sources).unwrap())
    }

    #[test]
    fn comments_and_blank_lines_do_not_make_another_release() {
        let commented = SHOP.replace("message Item", "// What is sold.\n\nmessage Item");
        assert_eq!(released(SHOP), released(&commented));
        assert_ne!(released(SHOP), released(&SHOP.replace("string id", "string key")));
    }

    /// Planted: a set that is decoded and encoded again, which loses the custom options.
    #[test]
    fn a_release_keeps_options_and_drops_places() {
        let bytes = released(SHOP);
        let set = FileDescriptorSet::decode(bytes.as_slice()).unwrap();
        assert!(set.file.len() > 2 && set.file.iter().all(|file| file.source_code_info.is_none()));
        let model = load_descriptors(&bytes).unwrap();
        assert_eq!(model.owners[0].name, "shop");
        let item = model.pool.get_message_by_name("shop.v1.Item").unwrap();
        assert!(crate::language::field_rules(&item.get_field_by_name("id").unwrap()).private);
    }
}
