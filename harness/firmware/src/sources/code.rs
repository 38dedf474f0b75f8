//! Of a source file, what reaches the compiler: no comments, no documentation, no blanks, no tests.
//!
//! Line numbers do reach an image, in the places of its panics; they are left out all the same, as nothing that an image
//! does hangs on them.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The tokens of a Rust file, one a line; `None` if it is none.
pub(super) fn of_rust(text: &str) -> Option<String> {
    let mut code = String::new();
    tokens(text.parse().ok()?, &mut code);
    Some(code)
}

fn tokens(stream: TokenStream, code: &mut String) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut rest = trees.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if let Some(attribute) = Attribute::begins(rest) {
            if attribute.is_documentation() {
                rest = attribute.after;
                continue;
            }
            if attribute.is_of_tests() {
                rest = after_item(attribute.after);
                continue;
            }
        }
        match first {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                line(code, open);
                tokens(group.stream(), code);
                line(code, close);
            }
            TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint => code.push(punct.as_char()),
            other => line(code, &other.to_string()),
        }
        rest = after;
    }
}

fn line(code: &mut String, token: &str) {
    code.push_str(token);
    code.push('\n');
}

/// `#[…]` or `#![…]`.
struct Attribute<'t> {
    inside: String,
    after: &'t [TokenTree],
}

impl<'t> Attribute<'t> {
    fn begins(trees: &'t [TokenTree]) -> Option<Self> {
        let is = |tree: &TokenTree, c: char| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == c);
        let (hash, rest) = trees.split_first()?;
        let rest = rest.split_first().filter(|(bang, _)| is(bang, '!')).map_or(rest, |(_, rest)| rest);
        match rest.split_first()? {
            (TokenTree::Group(group), after) if is(hash, '#') && group.delimiter() == Delimiter::Bracket => {
                let mut inside = String::new();
                group.stream().into_iter().for_each(|tree| inside.push_str(&tree.to_string()));
                Some(Self { inside, after })
            }
            _ => None,
        }
    }

    fn is_documentation(&self) -> bool {
        self.inside.starts_with("doc=")
    }

    fn is_of_tests(&self) -> bool {
        self.inside == "cfg(test)"
    }
}

/// What follows the item at the beginning: it ends with its body, or with a semicolon.
fn after_item(trees: &[TokenTree]) -> &[TokenTree] {
    let mut is_use = false;
    for (index, tree) in trees.iter().enumerate() {
        let ends = match tree {
            TokenTree::Ident(ident) => {
                is_use |= *ident == "use";
                false
            }
            // The braces of `use a::{b, c};` are no body.
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !is_use,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Literal(_) => false,
        };
        if ends {
            return trees.get(index + 1..).unwrap_or_default();
        }
    }
    &[]
}

/// A C file without comments and without blanks that mean nothing; line ends mean something to the preprocessor.
pub(super) fn of_c(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (taken, kept) = if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |at| at + 2), " ")
        } else if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), "")
        } else if c == '"' || c == '\'' {
            let length = quoted(rest, c);
            (length, rest.get(..length).unwrap_or_default())
        } else {
            (c.len_utf8(), rest.get(..c.len_utf8()).unwrap_or_default())
        };
        if c.is_whitespace() || kept == " " {
            // One blank for many, none at the ends of lines, no empty lines.
            let is_end = code.is_empty() || code.ends_with('\n');
            if c == '\n' {
                code.truncate(code.trim_end_matches(' ').len());
            }
            match c {
                _ if is_end => {}
                '\n' => code.push('\n'),
                _ if code.ends_with(' ') => {}
                _ => code.push(' '),
            }
        } else {
            code.push_str(kept);
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    code.truncate(code.trim_end().len());
    code
}

/// The length of a string or character at the beginning, its quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            // An apostrophe in an #error, say: no string goes over a line's end.
            '\n' => return at,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: &str =
        "//! A module.\n#![no_std]\nuse core::fmt;\n\n/// Says it.\nfn say(n: u8) -> u8 { // why\n    n + 1\n}\n";

    #[test]
    fn what_is_said_about_code_is_no_code() {
        let code = |text: &str| of_rust(text).expect("Rust");
        let base = code(RUST);
        for (was, is) in [
            ("//! A module.\n", "//! Another.\n//!\n//! Longer.\n"),
            ("/// Says it.\n", "/** Says\n it. */\n#[doc = \"twice\"]\n"),
            (" // why", ""),
            ("n + 1", "n\n    +  1 /* of course */"),
            ("}\n", "}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn it() { assert!(true) }\n}\n"),
            ("}\n", "}\n#[cfg(test)]\n#[allow(dead_code)]\nmod tests;\n"),
            ("use core::fmt;", "#[cfg(test)]\nuse core::{cmp, mem};\nuse core::fmt;"),
        ] {
            let other = RUST.replacen(was, is, 1);
            assert_ne!(other, RUST);
            assert_eq!(code(&other), base, "{was} is {is}");
        }
        for (was, is) in [
            ("n + 1", "n + 2"),
            ("#![no_std]\n", ""),
            ("n: u8", "n: u16"),
            ("fn say", "#[cfg(not(test))] fn say"),
            ("fn say", "#[inline] fn say"),
            ("n + 1", "(n) + 1"),
            ("n + 1", "n + b\"1 // \"[0]"),
            ("}\n", "}\n#[cfg(test)]\nmod tests;\nfn more() {}\n"),
        ] {
            let other = RUST.replacen(was, is, 1);
            assert_ne!(code(&other), base, "{was} is {is}");
        }
        assert_ne!(code("a && b"), code("a & & b"));
        assert_eq!(of_rust("fn ( {"), None);
    }

    const C: &str = "/* What it is for. */\n#include \"x.h\"\n\nint f(int n) { // why\n    return n + '\"'; /* \"odd\" */\n}\nchar *s = \"/* no comment */\";\n";

    #[test]
    fn comments_of_c_are_no_code_either() {
        let base = of_c(C);
        assert_eq!(base, "#include \"x.h\"\nint f(int n) {\nreturn n + '\"';\n}\nchar *s = \"/* no comment */\";");
        for (was, is) in
            [("What it is for.", "Other\n words."), (" // why", ""), ("    return", "\treturn  "), ("\n\n", "\n")]
        {
            assert_eq!(of_c(&C.replacen(was, is, 1)), base, "{was} is {is}");
        }
        for (was, is) in [("x.h", "y.h"), ("n + ", "n - "), ("no comment", "a comment"), ("\"\n\n", "\" ")] {
            assert_ne!(of_c(&C.replacen(was, is, 1)), base, "{was} is {is}");
        }
        assert_eq!(of_c("#error it's so\nint a;"), "#error it's so\nint a;");
        assert_eq!(of_c("int a; /* open"), "int a;");
    }
}
