//! Types of our own source, read by `syn`: what serde takes, in the words of the doc comments.

use syn::{Attribute, Expr, ExprLit, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type};

/// A type of the grammar.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A table with these keys.
    Struct(Vec<Field>),
    /// One of these values.
    Enum(Vec<Variant>),
}

/// A key of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// As a file writes it.
    pub name: String,
    /// What stands there.
    pub kind: Kind,
    /// Whether a file is refused that leaves it out.
    pub is_required: bool,
    /// Whether it may be absent, which is a value of its own.
    pub is_option: bool,
    /// The doc comment, its lines joined.
    pub means: String,
}

/// A value of an enum.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variant {
    /// As the source writes it.
    pub ident: String,
    /// As a file writes it; empty for an enum that is read by hand.
    pub name: String,
    /// The key of its table that says which variant it is, where that is no key of its own.
    pub tag: Option<String>,
    /// What it carries.
    pub payload: Payload,
    /// The doc comment, its lines joined.
    pub means: String,
}

/// What a variant carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Payload {
    /// Nothing: it is a word.
    None,
    /// One value.
    One(Kind),
    /// Several in a list.
    Several(Vec<Kind>),
    /// A table.
    Table(Vec<Field>),
}

/// What may stand at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string.
    Text,
    /// `true` or `false`.
    Switch,
    /// An integer.
    Number {
        /// The least that its type holds.
        least: i64,
        /// The most that its type holds, where a file can write that.
        most: i64,
    },
    /// Any table.
    Table,
    /// A list.
    List(Box<Kind>),
    /// A table of any keys.
    ByName(Box<Kind>),
    /// One, or a list.
    OneOrList(Box<Kind>),
    /// Another type of the grammar, by its last name.
    Named(String),
}

impl Kind {
    /// The other type of the grammar that it holds, if it does.
    pub(super) fn innermost(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::List(inner) | Self::ByName(inner) | Self::OneOrList(inner) => inner.innermost(),
            Self::Text | Self::Switch | Self::Number { .. } | Self::Table => None,
        }
    }
}

/// The struct or enum `name` of a source file; `None` if the file has none.
pub(super) fn find(text: &str, name: &str) -> Result<Option<Shape>, syn::Error> {
    for item in syn::parse_file(text)?.items {
        match item {
            Item::Struct(item) if item.ident == name => {
                let has_default = serde_says(&item.attrs, "default");
                let Fields::Named(fields) = item.fields else { return Ok(None) };
                let fields = fields.named.iter().filter(|field| !serde_says(&field.attrs, "skip"));
                return Ok(Some(Shape::Struct(fields.map(|field| self::field(field, has_default)).collect())));
            }
            Item::Enum(item) if item.ident == name => {
                // Who reads itself by hand writes itself by hand.
                let is_derived = derives(&item.attrs, "Deserialize");
                let is_snake_case = serde_value(&item.attrs, "rename_all").is_some_and(|case| case == "snake_case");
                let tag = serde_value(&item.attrs, "tag");
                let variants = item.variants.iter().filter(|variant| !serde_says(&variant.attrs, "skip"));
                let read = |variant| Variant { tag: tag.clone(), ..self::variant(variant, is_snake_case, is_derived) };
                return Ok(Some(Shape::Enum(variants.map(read).collect())));
            }
            _ => {}
        }
    }
    Ok(None)
}

fn field(field: &syn::Field, table_has_default: bool) -> Field {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    let is_optional = table_has_default || serde_says(&field.attrs, "default") || is(&field.ty, "Option");
    Field {
        name: serde_value(&field.attrs, "rename").unwrap_or(name),
        kind: kind(field),
        is_required: !is_optional,
        is_option: is(&field.ty, "Option"),
        means: means(&field.attrs),
    }
}

fn variant(variant: &syn::Variant, is_snake_case: bool, is_derived: bool) -> Variant {
    let ident = variant.ident.to_string();
    let plain = if is_snake_case { snake_case(&ident) } else { ident.clone() };
    let mut kinds: Vec<Kind> = variant.fields.iter().map(kind).collect();
    let payload = match &variant.fields {
        Fields::Unit => Payload::None,
        Fields::Named(fields) => Payload::Table(fields.named.iter().map(|field| self::field(field, false)).collect()),
        Fields::Unnamed(_) if kinds.len() == 1 => {
            kinds.pop().map_or(Payload::None, |kind| Payload::One(read_by(&variant.attrs, kind)))
        }
        Fields::Unnamed(_) => Payload::Several(kinds),
    };
    Variant {
        name: if is_derived { serde_value(&variant.attrs, "rename").unwrap_or(plain) } else { String::new() },
        tag: None,
        ident,
        payload,
        means: means(&variant.attrs),
    }
}

/// What may stand at a field: by its type, and by the function that reads it, if it has one of its own.
fn kind(field: &syn::Field) -> Kind {
    read_by(&field.attrs, kind_of_type(&field.ty))
}

fn read_by(attributes: &[Attribute], of_type: Kind) -> Kind {
    let reader = serde_value(attributes, "deserialize_with").unwrap_or_default();
    match (reader.rsplit("::").next().unwrap_or_default(), &of_type) {
        ("per_mille", _) => Kind::Number { least: 0, most: 1_000 },
        ("per_million", _) => Kind::Number { least: 0, most: 1_000_000 },
        ("ms" | "at_ms" | "until_ms", _) => Kind::Number { least: 0, most: u32::MAX.into() },
        ("from_one", Kind::Number { most, .. }) => Kind::Number { least: 1, most: *most },
        ("one_or_more", Kind::List(inner)) => Kind::OneOrList(inner.clone()),
        _ => of_type,
    }
}

fn kind_of_type(kind: &Type) -> Kind {
    let Type::Path(path) = kind else { return Kind::Named(String::new()) };
    let Some(last) = path.path.segments.last() else { return Kind::Named(String::new()) };
    let mut arguments = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let mut inner = || match arguments.pop() {
        Some(GenericArgument::Type(inner)) => kind_of_type(inner),
        _ => Kind::Named(String::new()),
    };
    let number = |least, most| Kind::Number { least, most };
    match last.ident.to_string().as_str() {
        "Option" | "Spanned" | "Box" => inner(),
        "Vec" => Kind::List(Box::new(inner())),
        "BTreeMap" => Kind::ByName(Box::new(inner())),
        "OneOf" => Kind::OneOrList(Box::new(inner())),
        "String" | "IpAddr" => Kind::Text,
        "Table" => Kind::Table,
        "bool" => Kind::Switch,
        "u8" => number(0, u8::MAX.into()),
        "u16" => number(0, u16::MAX.into()),
        "u32" => number(0, u32::MAX.into()),
        // TOML's integers have 64 bits and a sign.
        "u64" | "usize" | "Duration" | "Instant" => number(0, i64::MAX),
        "i8" => number(i8::MIN.into(), i8::MAX.into()),
        "i32" => number(i32::MIN.into(), i32::MAX.into()),
        "i64" => number(i64::MIN, i64::MAX),
        other => Kind::Named(other.to_owned()),
    }
}

fn is(kind: &Type, name: &str) -> bool {
    matches!(kind, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// The doc comment, its lines joined. Links are for rustdoc.
fn means(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => text(&pair.value).map(|line| line.trim().to_owned()),
        _ => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    lines.join(" ").replace("[`", "`").replace("`]", "`")
}

/// Whether `#[derive(…)]` has this word.
fn derives(attributes: &[Attribute], word: &str) -> bool {
    let mut derives = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        let _ = attribute.parse_nested_meta(|meta| {
            derives |= meta.path.is_ident(word);
            Ok(())
        });
    }
    derives
}

/// Whether `#[serde(…)]` has this word, with or without a value.
fn serde_says(attributes: &[Attribute], word: &str) -> bool {
    let mut says = false;
    serde(attributes, &mut |name, _| says |= name == word);
    says
}

/// The text after `word =` in `#[serde(…)]`.
fn serde_value(attributes: &[Attribute], word: &str) -> Option<String> {
    let mut found = None;
    serde(attributes, &mut |name, value| {
        if name == word {
            found = value;
        }
    });
    found
}

fn serde(attributes: &[Attribute], hear: &mut dyn FnMut(&str, Option<String>)) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // What serde took, we can read; whatever has another form says nothing that is looked for here.
        let _ = attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            let value = match meta.value() {
                Ok(value) => text(&value.parse::<Expr>()?),
                Err(_) => None,
            };
            hear(&name, value);
            Ok(())
        });
    }
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// As serde's `rename_all = "snake_case"` does it.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, character) in name.chars().enumerate() {
        if character.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
