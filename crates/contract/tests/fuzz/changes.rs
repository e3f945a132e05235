//! Changes of a small tree, word by word, so that most of what comes out is still Protobuf: what no random text is.

use freehold_contract::Sources;

/// The tree that the tests of the mesh use: an owner with a bit of everything, and its consumers.
const FILES: [(&str, &str); 4] = [
    ("catalog/v1/catalog.proto", include_str!("../mesh/tree/catalog.proto")),
    ("orders/v1/orders.proto", include_str!("../mesh/tree/orders.proto")),
    ("orders/v1/needs.proto", include_str!("../mesh/tree/needs.proto")),
    ("consumers/shop/v1/needs.proto", include_str!("../mesh/tree/shop.proto")),
];

/// The most changes that are made at once.
const MOST: usize = 8;

/// A change: what is done, in which file, at which word, and which other word or how many it takes.
pub(crate) type Change = (u8, u8, u16, u16);

/// The files as words: names, numbers, signs, and the space between them.
pub(crate) struct Tree {
    files: Vec<(&'static str, Vec<&'static str>)>,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { files: FILES.iter().map(|(path, text)| (*path, words(text))).collect() }
    }

    pub(crate) fn sources(&self) -> Sources {
        FILES.into_iter().collect()
    }

    /// The tree after the changes, one after the other.
    pub(crate) fn changed(&self, changes: &[Change]) -> Sources {
        let mut files = self.files.clone();
        for change in changes.iter().take(MOST) {
            apply(&mut files, change);
        }
        files.into_iter().map(|(path, words)| (path, words.concat())).collect()
    }
}

fn apply(files: &mut [(&'static str, Vec<&'static str>)], (what, file, at, other): &Change) {
    let count = files.len();
    let words = &mut files[usize::from(*file) % count].1;
    if words.is_empty() {
        return;
    }
    let at = usize::from(*at) % words.len();
    let from = usize::from(*other) % words.len();
    let few = usize::from(*other) % 12;
    match what % 5 {
        0 => words[at] = words[from],
        1 => words.insert(at, words[from]),
        2 => drop(words.remove(at)),
        3 => drop(words.drain(at..words.len().min(at + few))),
        _ => words.swap(at, from),
    }
}

/// A text cut where letters, signs and space meet; put together again it is the text.
fn words(text: &'static str) -> Vec<&'static str> {
    let kind = |letter: char| match letter {
        _ if letter.is_alphanumeric() || letter == '_' || letter == '.' => 0,
        _ if letter.is_whitespace() => 1,
        _ => 2,
    };
    let mut words = Vec::new();
    let mut begin = 0;
    let mut last = None;
    for (at, letter) in text.char_indices() {
        let kind = kind(letter);
        if last.is_some_and(|last| last != kind || kind == 2) {
            words.push(&text[begin..at]);
            begin = at;
        }
        last = Some(kind);
    }
    words.push(&text[begin..]);
    words
}
